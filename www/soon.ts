/** Does `work` once after however many calls came together. */
export function soon(work: () => void): () => void {
  let pending = false;
  return () => {
    if (pending) return;
    pending = true;
    queueMicrotask(() => {
      pending = false;
      work();
    });
  };
}
