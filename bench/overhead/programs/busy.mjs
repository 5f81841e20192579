/** Scenario c: nothing asynchronous: JSON, sorting and regular expressions. One line on stdin asks for one slice. */
import { slices } from "./slices.mjs";

const WORDS = "the quick brown fox jumps over the lazy dog while seven wizards box".split(" ");
const records = Array.from({ length: 400 }, (_, id) => ({
  id,
  key: (id * 7919) % 1009,
  text: `${WORDS[id % WORDS.length]} ${WORDS[(id * 5) % WORDS.length]} ${id}`,
  tags: WORDS.slice(id % 5, (id % 5) + 3),
}));

function work() {
  const copy = JSON.parse(JSON.stringify(records));
  copy.sort((a, b) => a.key - b.key || a.id - b.id);
  let hits = 0;
  for (const { text } of copy) {
    if (/(\w+)\s\1|o[xv]\w*\s\d*7/.test(text)) hits++;
    hits += text.replace(/[aeiou]/g, (vowel) => vowel.toUpperCase()).length;
  }
  return hits;
}

await slices((size) => {
  let sum = 0;
  for (let i = 0; i < size; i++) sum += work();
  return sum;
});
