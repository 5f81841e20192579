/** Work in slices: a number on stdin is one slice of that size, answered with a line; the end of stdin ends. */

export async function slices(work) {
  process.stdout.write(`ready ${process.pid} 0\n`);
  process.stdin.setEncoding("utf8");
  await new Promise((resolve) => {
    process.stdin.on("data", async (line) => {
      const result = await work(Number(line));
      process.stdout.write(`done ${result}\n`);
    });
    process.stdin.on("end", resolve);
  });
  process.exit();
}
