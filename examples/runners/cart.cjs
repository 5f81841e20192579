/** A cart that saves itself from time to time once it is checked out. */
exports.Cart = class Cart {
  #items = [];
  #timer;

  async add(item) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    this.#items.push(item);
  }

  async checkout() {
    await Promise.all(this.#items.map((item) => reserve(item)));
    this.#timer = setInterval(() => this.#items.length, 50);
    return this.#items.length;
  }

  close() {
    clearInterval(this.#timer);
  }
};

async function reserve(item) {
  await new Promise((resolve) => setTimeout(resolve, 3));
  return item;
}
