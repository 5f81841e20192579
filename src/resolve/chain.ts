/** What can be in a chain, in one at a time. The fields are the chain's. */
export interface Link<T extends Link<T>> {
  chain: Chain<T> | null;
  older: T | null;
  younger: T | null;
}

/** A list in order of addition, from which any member leaves in no more time than it takes to join. */
export class Chain<T extends Link<T>> {
  /** The member that joined last. Its `older` leads through all others. */
  youngest: T | null = null;

  add(member: T): void {
    member.chain?.remove(member);
    const { youngest } = this;
    if (youngest !== null) youngest.younger = member;
    member.chain = this;
    member.older = youngest;
    this.youngest = member;
  }

  /** Nothing happens where it is no member. */
  remove(member: T): void {
    if (member.chain !== this) return;
    const { older, younger } = member;
    if (older !== null) older.younger = younger;
    if (younger !== null) younger.older = older;
    else this.youngest = older;
    member.chain = null;
    member.older = null;
    member.younger = null;
  }

  /** All leave, so that none keeps another alive. */
  clear(): void {
    while (this.youngest !== null) this.remove(this.youngest);
  }
}
