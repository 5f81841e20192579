/** Functions of ours for `Error.prepareStackTrace` that are given traces as they are, with our frames in them. */
export const rawTraces = new WeakSet<object>();

/** Setters of ours for that property: whoever sets it through one of these is not seen. */
export const ownSetters = new WeakSet<object>();
