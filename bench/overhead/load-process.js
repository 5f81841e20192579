/** The load generator as seen from the process that measures. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

export class Load {
  #child = fork(join(import.meta.dirname, "load.js"));
  #failed = once(this.#child, "exit").then(([code]) => {
    throw new Error(`the load generator ended with ${code}`);
  });

  /** Asks for one slice of load; resolves to how it went. */
  async ask(slice) {
    this.#child.send(slice);
    const [answer] = await Promise.race([once(this.#child, "message"), this.#failed]);
    return answer;
  }

  end() {
    this.#failed.catch(() => {});
    if (this.#child.connected) this.#child.disconnect();
  }
}
