// The test panel: what would happen, were this tried?
import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { api, messageOf, type Explanation, type Operation } from '../api';
import { Name } from '../parts/name';
import { Reasons } from '../parts/reasons';

const VERBS: [string, string, string][] = [
  ['read', 'read a file', '/home/me/.ssh/id_ed25519'],
  ['write', 'write a file', 'src/main.c'],
  ['create', 'create a file', 'build/out.o'],
  ['delete', 'delete a file', 'src/main.c'],
  ['link', 'link a file', 'src/main.c'],
  ['chmod', 'change a file’s attributes', 'run.sh'],
  ['exec', 'run a program', '/usr/bin/git'],
  ['connect', 'connect to a host', 'example.com:443'],
  ['resolve', 'look up a name', 'example.com'],
  ['datagram', 'send a datagram', 'example.com:53'],
  ['listen', 'listen on a port', '127.0.0.1:8080'],
  ['http', 'send a request', 'GET https://example.com/'],
];

// Kept while other tabs and views are shown.
const question = signal<Operation>({ operation: 'read', object: '' });

interface Answers {
  inForce: Explanation;
  draft: Explanation | 'unusable' | null;
}
const UNUSABLE = 'unusable' as const;

// draft: the editor's text, where it is not what is in force.
export function Ask({ draft, generation }: { draft: string | null; generation: number | undefined }) {
  const q = question.value;
  const [asked, setAsked] = useState<Operation | null>(null);
  const [answers, setAnswers] = useState<Answers | null>(null);
  const [error, setError] = useState('');

  // Once asked, the answer follows the text and what is in force.
  useEffect(() => {
    if (!asked) return;
    const abort = new AbortController();
    const timer = setTimeout(async () => {
      try {
        setAnswers({ inForce: await api.explain(asked, abort.signal), draft: null });
        setError('');
        // A text that is being written may be none that can be asked.
        const other = draft === null ? null : await api.explain({ ...asked, text: draft }, abort.signal).catch(() => UNUSABLE);
        if (!abort.signal.aborted) setAnswers((a) => a && { ...a, draft: other });
      } catch (e) {
        if (abort.signal.aborted) return;
        setAnswers(null);
        setError(messageOf(e));
      }
    }, 150);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [asked, draft, generation]);

  const change = (part: Partial<Operation>) => (question.value = { ...q, ...part });
  const submit = (e: Event) => {
    e.preventDefault();
    const { exe, ...rest } = question.value;
    setAsked(exe ? { ...rest, exe } : rest);
  };
  return (
    <>
      <form class="ask" onSubmit={submit}>
        <label class="field">
          <span>Would it be allowed to</span>
          <select value={q.operation} onChange={(e) => change({ operation: e.currentTarget.value })}>
            {VERBS.map(([verb, words]) => (
              <option key={verb} value={verb}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span>which</span>
          <input
            type="text"
            required
            autocomplete="off"
            spellcheck={false}
            placeholder={VERBS.find(([v]) => v === q.operation)?.[2]}
            value={q.object}
            onInput={(e) => change({ object: e.currentTarget.value })}
          />
        </label>
        <label class="field">
          <span>by the program</span>
          <input
            type="text"
            autocomplete="off"
            spellcheck={false}
            placeholder="any, or /usr/bin/curl"
            value={q.exe ?? ''}
            onInput={(e) => change({ exe: e.currentTarget.value })}
          />
        </label>
        <button type="submit" class="primary">
          Ask
        </button>
      </form>
      {error ? (
        <p class="error" role="alert">
          <Name text={error} />
        </p>
      ) : null}
      {answers ? (
        <div class="answers" role="status">
          {answers.draft === UNUSABLE ? (
            <p class="note">The text in the editor has errors, or no policy: it decides nothing.</p>
          ) : answers.draft ? (
            <Answer title="By the text in the editor" answer={answers.draft} />
          ) : null}
          <Answer title={answers.draft ? 'By what is in force' : 'By the policy in force'} answer={answers.inForce} />
        </div>
      ) : error ? null : (
        <p class="muted">Paths may begin with ~ or be below the workspace. Nothing is tried: leash only says what it would decide.</p>
      )}
    </>
  );
}

function Answer({ title, answer }: { title: string; answer: Explanation }) {
  const denied = answer.decision === 'deny';
  return (
    <section class={`answer tone-${denied ? 'deny' : 'calm'}`}>
      <h3>
        {title}: <span class={`verdict verdict-${answer.decision}`}>{denied ? 'denied' : 'allowed'}</span>
      </h3>
      {answer.reasons.length ? null : <p>{denied ? 'No policy permits it; what nothing permits is denied.' : 'No policy was asked.'}</p>}
      <Reasons answer={answer} />
    </section>
  );
}
