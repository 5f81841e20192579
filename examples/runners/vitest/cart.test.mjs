import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { Cart } from "../cart.cjs";

let cart;
beforeEach(() => {
  cart = new Cart();
});
const open = [];
afterAll(() => {
  for (const one of open) one.close();
});

describe("cart", () => {
  it("takes an item", async () => {
    await cart.add("coffee");
  });

  it("checks out", async () => {
    await cart.add("coffee");
    await cart.add("milk");
    expect(await cart.checkout()).toBe(2);
    // What closes the cart comes only after all tests: until then it goes on saving.
    open.push(cart);
  });

  it("waits for another", async () => {
    await new Promise((resolve) => setTimeout(resolve, 60));
  });
});
