// The number of an event, which leads to it.
import { go, show } from '../state';

export function Seq({ seq }: { seq: number }) {
  return (
    <button
      type="button"
      class="link"
      onClick={() => {
        show(seq);
        go('live');
      }}
    >
      {seq}
    </button>
  );
}
