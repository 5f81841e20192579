/** Asks a server of the example for each path, all at once, then closes it. Prints what came back. */
export async function load(server, paths) {
  if (!server.listening) await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const base = `http://127.0.0.1:${server.address().port}`;
  const answers = await Promise.all(
    paths.map(async (path) => {
      const response = await fetch(base + path);
      return `${response.status} ${path}: ${await response.text()}`;
    }),
  );
  for (const answer of answers) console.log(answer);
  server.closeAllConnections();
  server.close();
}

/** What the examples ask for. */
export const PATHS = ["/", "/users/ann", "/users/bob", "/users/42", "/shop/orders/7", "/nowhere"];
