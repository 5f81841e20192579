/** A cart that saves itself from time to time once it is checked out, until it is closed. */
exports.Cart = class Cart {
  #items = [];
  #isOpen = true;

  async add(item) {
    await sleep(5);
    this.#items.push(item);
  }

  async checkout() {
    await Promise.all(this.#items.map((item) => reserve(item)));
    // Nobody waits for it.
    void this.#save();
    return this.#items.length;
  }

  async #save() {
    while (this.#isOpen) await sleep(20);
  }

  close() {
    this.#isOpen = false;
  }
};

async function reserve(item) {
  await sleep(3);
  return item;
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
