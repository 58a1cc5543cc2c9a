// Runs at once, and again while events come in, but not more than once a second.
import { useEffect, useRef } from 'preact/hooks';
import { overview } from '../state';

export function useRegularly(run: () => Promise<void>, when: unknown[] = []): void {
  const last = useRef(0);
  const total = overview.value.total;
  useEffect(() => {
    last.current = 0;
  }, when);
  useEffect(() => {
    const timer = setTimeout(
      () => {
        last.current = Date.now();
        void run();
      },
      Math.max(0, last.current + 1000 - Date.now()),
    );
    return () => clearTimeout(timer);
  }, [total, ...when]);
}
