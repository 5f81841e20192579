const assert = require("node:assert/strict");
const { Cart } = require("../cart.cjs");

let cart;
beforeEach(() => {
  cart = new Cart();
});
const open = [];
after(() => {
  for (const one of open) one.close();
});

describe("cart", () => {
  it("takes an item", async () => {
    await cart.add("coffee");
  });

  it("checks out", async () => {
    await cart.add("coffee");
    await cart.add("milk");
    assert.equal(await cart.checkout(), 2);
    // What closes the cart comes only after all tests: until then it goes on saving.
    open.push(cart);
  });

  it("waits for another", async () => {
    await new Promise((resolve) => setTimeout(resolve, 60));
  });
});
