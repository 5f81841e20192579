/**
 * Pattern-defeating quicksort with the choices that Go's library makes (insertion sort up to 12, ninther from 50,
 * its xorshift for breaking patterns). It is not stable, and that is the point: where Go sorts things with equal
 * keys, the order it leaves them in can be seen in its output, so the same steps are taken here.
 */
const INSERTION_MAX = 12;
const NINTHER_MIN = 50;
const PARTIAL_STEPS = 5;
const PARTIAL_MIN = 50;
const MAX_SWAPS = 12;

/** Sorts `items` in place by `less`, leaving equal items in the order in which Go's sort leaves them. */
export function sortLikeGo<T>(items: T[], less: (a: T, b: T) => boolean): void {
  new Sorter(items, less).sort(0, items.length, bitLength(items.length));
}

function bitLength(n: number): number {
  return 32 - Math.clz32(n);
}

class Sorter<T> {
  readonly #items: T[];
  readonly #lessThan: (a: T, b: T) => boolean;
  #swaps = 0;

  constructor(items: T[], less: (a: T, b: T) => boolean) {
    this.#items = items;
    this.#lessThan = less;
  }

  sort(from: number, to: number, limit: number): void {
    let a = from;
    let b = to;
    let depth = limit;
    let balanced = true;
    let partitioned = true;
    for (;;) {
      const length = b - a;
      if (length <= INSERTION_MAX) return this.#insertionSort(a, b);
      if (depth === 0) return this.#heapSort(a, b);
      if (!balanced) {
        this.#breakPatterns(a, b);
        depth--;
      }
      let pivot = this.#choosePivot(a, b);
      let increasing = this.#swaps === 0;
      if (this.#swaps === MAX_SWAPS) {
        this.#reverse(a, b);
        pivot = b - 1 - (pivot - a);
        increasing = true;
      }
      if (balanced && partitioned && increasing && this.#partialInsertionSort(a, b)) return;
      if (a > 0 && !this.#less(a - 1, pivot)) {
        a = this.#partitionEqual(a, b, pivot);
        continue;
      }
      this.#swap(a, pivot);
      const place = this.#scan(a, a + 1, b - 1);
      partitioned = place.done;
      const middle = partitioned ? place.j : this.#partition(a, place.i, place.j);
      this.#swap(middle, a);
      if (middle - a < b - middle) {
        balanced = middle - a >= length >> 3;
        this.sort(a, middle, depth);
        a = middle + 1;
      } else {
        balanced = b - middle >= length >> 3;
        this.sort(middle + 1, b, depth);
        b = middle;
      }
    }
  }

  #less(i: number, j: number): boolean {
    return this.#lessThan(this.#items[i]!, this.#items[j]!);
  }

  #swap(i: number, j: number): void {
    const item = this.#items[i]!;
    this.#items[i] = this.#items[j]!;
    this.#items[j] = item;
  }

  #insertionSort(a: number, b: number): void {
    for (let i = a + 1; i < b; i++) for (let j = i; j > a && this.#less(j, j - 1); j--) this.#swap(j, j - 1);
  }

  #heapSort(a: number, b: number): void {
    const size = b - a;
    for (let i = (size - 1) >> 1; i >= 0; i--) this.#siftDown(a, i, size);
    for (let i = size - 1; i >= 0; i--) {
      this.#swap(a, a + i);
      this.#siftDown(a, 0, i);
    }
  }

  #siftDown(first: number, from: number, size: number): void {
    for (let root = from; ;) {
      let child = 2 * root + 1;
      if (child >= size) return;
      if (child + 1 < size && this.#less(first + child, first + child + 1)) child++;
      if (!this.#less(first + root, first + child)) return;
      this.#swap(first + root, first + child);
      root = child;
    }
  }

  /** Moves inwards over what is already on its side of the pivot, which is at `a`. */
  #scan(a: number, from: number, to: number): { i: number; j: number; done: boolean } {
    let i = from;
    let j = to;
    while (i <= j && this.#less(i, a)) i++;
    while (i <= j && !this.#less(j, a)) j--;
    return { i, j, done: i > j };
  }

  #partition(a: number, from: number, to: number): number {
    let place = { i: from, j: to, done: false };
    while (!place.done) {
      this.#swap(place.i, place.j);
      place = this.#scan(a, place.i + 1, place.j - 1);
    }
    return place.j;
  }

  #partitionEqual(a: number, b: number, pivot: number): number {
    this.#swap(a, pivot);
    let i = a + 1;
    let j = b - 1;
    for (;;) {
      while (i <= j && !this.#less(a, i)) i++;
      while (i <= j && this.#less(a, j)) j--;
      if (i > j) return i;
      this.#swap(i++, j--);
    }
  }

  #partialInsertionSort(a: number, b: number): boolean {
    let i = a + 1;
    for (let step = 0; step < PARTIAL_STEPS; step++) {
      while (i < b && !this.#less(i, i - 1)) i++;
      if (i === b) return true;
      if (b - a < PARTIAL_MIN) return false;
      this.#swap(i, i - 1);
      if (i - a >= 2) for (let j = i - 1; j >= 1 && this.#less(j, j - 1); j--) this.#swap(j, j - 1);
      if (b - i >= 2) for (let j = i + 1; j < b && this.#less(j, j - 1); j++) this.#swap(j, j - 1);
    }
    return false;
  }

  #breakPatterns(a: number, b: number): void {
    const length = b - a;
    if (length < 8) return;
    let random = BigInt(length);
    const mask = (1n << BigInt(bitLength(length))) - 1n;
    const index = a + (length >> 2) * 2 - 1;
    for (let i = 0; i < 3; i++) {
      random ^= BigInt.asUintN(64, random << 13n);
      random ^= random >> 7n;
      random ^= BigInt.asUintN(64, random << 17n);
      let other = Number(random & mask);
      if (other >= length) other -= length;
      this.#swap(index + i, a + other);
    }
  }

  #choosePivot(a: number, b: number): number {
    const length = b - a;
    const quarter = length >> 2;
    this.#swaps = 0;
    let i = a + quarter;
    let j = a + quarter * 2;
    let k = a + quarter * 3;
    if (length >= NINTHER_MIN) {
      i = this.#median(i - 1, i, i + 1);
      j = this.#median(j - 1, j, j + 1);
      k = this.#median(k - 1, k, k + 1);
    }
    return this.#median(i, j, k);
  }

  #median(first: number, second: number, third: number): number {
    let [a, b, c] = [first, second, third];
    if (this.#less(b, a)) {
      this.#swaps++;
      [a, b] = [b, a];
    }
    if (this.#less(c, b)) {
      this.#swaps++;
      [b, c] = [c, b];
    }
    if (this.#less(b, a)) {
      this.#swaps++;
      [a, b] = [b, a];
    }
    return b;
  }

  #reverse(a: number, b: number): void {
    for (let i = a, j = b - 1; i < j;) this.#swap(i++, j--);
  }
}
