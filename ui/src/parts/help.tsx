import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

export const helpOpen = signal(false);

const KEYS: [string, string][] = [
  ['g l', 'Live'],
  ['g p', 'Processes'],
  ['g n', 'Network'],
  ['g o', 'Policy'],
  ['g s', 'Sessions'],
  ['j  k', 'next, previous event or process'],
  ['Enter', 'open the event'],
  ['Esc', 'close, leave a field'],
  ['/', 'search'],
  ['d', 'only what was stopped'],
  ['p', 'hold the list, let it run'],
  ['G', 'the newest event'],
  ['t', 'light or dark'],
  ['Ctrl S', 'apply the policy (in the editor)'],
  ['Shift Alt F', 'format it'],
  ['?', 'this help'],
];

export function Help() {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => box.current?.showModal(), []);
  return (
    <dialog class="help" ref={box} aria-label="Keys" onClose={() => (helpOpen.value = false)} onClick={(e) => e.target === box.current && box.current?.close()}>
      <div>
        <h2>Keys</h2>
        <dl>
          {KEYS.map(([key, what]) => (
            <>
              <dt>
                {key.split(' ').filter(Boolean).map((k) => (
                  <kbd>{k}</kbd>
                ))}
              </dt>
              <dd>{what}</dd>
            </>
          ))}
        </dl>
        <button type="button" onClick={() => box.current?.close()}>
          Close
        </button>
      </div>
    </dialog>
  );
}
