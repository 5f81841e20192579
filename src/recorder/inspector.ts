import type inspector from "node:inspector";

/** Node's inspector module; undefined in a Node that is built without, where to import it would throw. */
export const inspectorModule: typeof inspector | undefined = find();

function find(): typeof inspector | undefined {
  try {
    return process.getBuiltinModule("node:inspector");
  } catch {
    return undefined;
  }
}
