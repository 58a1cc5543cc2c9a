// A view that is fetched when it is first shown.
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';

export interface Lazy {
  load(): Promise<ComponentType>;
  loaded: ComponentType | null;
}

export function lazy(fetch: () => Promise<ComponentType>): Lazy {
  let coming: Promise<ComponentType> | null = null;
  const it: Lazy = {
    loaded: null,
    load: () =>
      (coming ??= fetch().then((c) => {
        it.loaded = c;
        return c;
      })),
  };
  return it;
}

export function Suspense({ what }: { what: Lazy }) {
  const [, ready] = useState(what.loaded !== null);
  useEffect(() => void what.load().then(() => ready(true)), []);
  const View = what.loaded;
  return View ? <View /> : <p class="nothing">…</p>;
}
