// The rows of a long list that are in sight, for Preact: a thin layer on virtual-core.
import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
  type VirtualItem,
} from '@tanstack/virtual-core';
import { useLayoutEffect, useReducer, useRef, useState } from 'preact/hooks';

export interface Virtual {
  items: VirtualItem[];
  size: number;
  // Brings a row into sight, by the shortest way.
  reveal(index: number): void;
  toEnd(): void;
}

export function useVirtual(
  element: { current: HTMLElement | null },
  count: number,
  rowHeight: number,
  // Height of a head that stays above the rows.
  head = 0,
  overscan = 12,
): Virtual {
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const options = {
    count,
    overscan,
    getScrollElement: () => element.current,
    estimateSize: () => rowHeight,
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    onChange: () => redraw(0),
  };
  const [v] = useState(() => new Virtualizer<HTMLElement, HTMLElement>(options));
  v.setOptions(options);
  const height = useRef(rowHeight);
  useLayoutEffect(() => v._didMount(), []);
  useLayoutEffect(() => {
    if (height.current !== rowHeight) {
      height.current = rowHeight;
      v.measure();
    }
    v._willUpdate();
  });
  return {
    items: v.getVirtualItems(),
    size: v.getTotalSize(),
    reveal: (index) => {
      const e = element.current;
      if (!e) return;
      const top = index * rowHeight;
      const bottom = top + rowHeight + head - e.clientHeight;
      if (top < e.scrollTop) e.scrollTop = top;
      else if (bottom > e.scrollTop) e.scrollTop = bottom;
    },
    toEnd: () => {
      const e = element.current;
      if (e) e.scrollTop = e.scrollHeight;
    },
  };
}
