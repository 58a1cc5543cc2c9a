// Something that is asked for by a button: its answer, or why there is none, and whether it is on its way.
import { useState } from 'preact/hooks';
import { messageOf } from '../api';

export interface Attempt<T> {
  found: T | null;
  error: string;
  busy: boolean;
  run(): void;
}

export function useAttempt<T>(ask: () => Promise<T>): Attempt<T> {
  const [found, setFound] = useState<T | null>(null);
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    try {
      setFound(await ask());
      setError('');
    } catch (e) {
      setError(messageOf(e));
    } finally {
      setBusy(false);
    }
  };
  return { found, error, busy, run: () => void run() };
}
