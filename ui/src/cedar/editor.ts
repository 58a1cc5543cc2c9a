// The policy editor. It stands in a shadow root, because there CodeMirror's styles
// become style sheets by script, which a strict content policy allows; in the page
// itself they would be a <style> element, which it does not.
import {
  acceptCompletion,
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
  snippetCompletion,
  type Completion as Offer,
  type CompletionContext,
  type CompletionResult,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { bracketMatching, HighlightStyle, indentUnit, StreamLanguage, syntaxHighlighting } from '@codemirror/language';
import { lintGutter, lintKeymap, setDiagnostics, type Diagnostic } from '@codemirror/lint';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import { EditorState, Prec, type Text } from '@codemirror/state';
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
  placeholder,
} from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { api, type Completion, type Finding, type Place } from '../api';
import { HIDDEN, plain } from '../model/text';
import { offsetOf, placeOf } from './places';
import { tokenAt, type TokenKind } from './tokens';

const TAGS: Record<TokenKind, string> = {
  comment: 'lineComment',
  string: 'string',
  keyword: 'keyword',
  effect: 'controlKeyword',
  variable: 'variableName',
  annotation: 'annotation',
  type: 'typeName',
  method: 'function',
  property: 'propertyName',
  number: 'number',
  atom: 'atom',
  operator: 'operator',
  bracket: 'bracket',
  plain: '',
};

const cedar = StreamLanguage.define<null>({
  name: 'cedar',
  startState: () => null,
  token(stream) {
    const { end, kind } = tokenAt(stream.string, stream.pos);
    stream.pos = end;
    return TAGS[kind] || null;
  },
  tokenTable: { annotation: tags.annotation, controlKeyword: tags.controlKeyword, function: tags.function(tags.name) },
  languageData: { commentTokens: { line: '//' }, closeBrackets: { brackets: ['(', '[', '{', '"'] } },
});

const colours = HighlightStyle.define([
  { tag: tags.lineComment, color: 'var(--t-comment)' },
  { tag: tags.string, color: 'var(--t-string)' },
  { tag: tags.keyword, color: 'var(--t-keyword)' },
  { tag: tags.controlKeyword, color: 'var(--t-effect)', fontWeight: '600' },
  { tag: tags.variableName, color: 'var(--t-variable)' },
  { tag: tags.annotation, color: 'var(--t-annotation)' },
  { tag: tags.typeName, color: 'var(--t-type)' },
  { tag: tags.function(tags.name), color: 'var(--t-method)' },
  { tag: tags.propertyName, color: 'var(--t-property)' },
  { tag: tags.number, color: 'var(--t-number)' },
  { tag: tags.atom, color: 'var(--t-number)' },
]);

const look = EditorView.theme({
  '&': { height: '100%', fontSize: '13px', color: 'var(--text)', backgroundColor: 'var(--panel)' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '-2px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.55', overflow: 'auto' },
  '.cm-gutters': { backgroundColor: 'var(--panel)', color: 'var(--muted)', borderRight: '1px solid var(--line)' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--raised)' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-selectionBackground, &.cm-focused .cm-selectionBackground': { backgroundColor: 'var(--select) !important' },
  '.cm-content': { caretColor: 'var(--text)' },
  '.cm-placeholder': { color: 'var(--muted)' },
  '.cm-tooltip': {
    backgroundColor: 'var(--raised)',
    color: 'var(--text)',
    border: '1px solid var(--line)',
    borderRadius: '6px',
    boxShadow: '0 6px 24px #0006',
    maxWidth: 'min(560px, 90vw)',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)', maxHeight: '16em' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { padding: '2px 8px' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--accent-fill)', color: 'var(--on-accent)' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected] .cm-completionDetail': { color: 'var(--on-accent)' },
  '.cm-completionDetail': { color: 'var(--muted)', fontStyle: 'normal', marginLeft: '1.5em' },
  '.cm-completionMatchedText': { textDecoration: 'none', fontWeight: '700' },
  '.cm-completionIcon': { opacity: '1', color: 'var(--muted)' },
  '.cm-tooltip.cm-completionInfo': { padding: '6px 10px' },
  '.cm-diagnostic': { padding: '6px 10px', borderLeftWidth: '3px' },
  '.cm-diagnostic-error': { borderLeftColor: 'var(--deny)' },
  '.cm-diagnostic-warning': { borderLeftColor: 'var(--warn)' },
  '.cm-lintRange-error': { backgroundImage: 'none', textDecoration: 'underline wavy var(--deny)', textUnderlineOffset: '3px' },
  '.cm-lintRange-warning': { backgroundImage: 'none', textDecoration: 'underline wavy var(--warn)', textUnderlineOffset: '3px' },
  '.cm-lint-marker': { content: 'none', width: '9px', height: '9px', borderRadius: '50%', margin: '5px 2px' },
  '.cm-lint-marker-error': { backgroundColor: 'var(--deny)' },
  '.cm-lint-marker-warning': { backgroundColor: 'var(--warn)' },
  '.cm-lintPoint:after': { borderBottomColor: 'var(--deny)' },
  '.cm-matchingBracket': { backgroundColor: 'var(--select) !important', outline: 'none' },
  '.cm-specialChar': { color: 'var(--deny)', fontWeight: '700' },
  '.cm-panels': { backgroundColor: 'var(--raised)', color: 'var(--text)', borderColor: 'var(--line)' },
  '.cm-textfield': { backgroundColor: 'var(--panel)', border: '1px solid var(--line)', color: 'var(--text)' },
  '.cm-button': { backgroundImage: 'none', backgroundColor: 'var(--panel)', border: '1px solid var(--line)', color: 'var(--text)' },
  '.cm-policy-flash': { backgroundColor: 'var(--select)' },
});

// ---- Completion --------------------------------------------------------------------

const KINDS: Record<string, string> = {
  keyword: 'keyword',
  action: 'enum',
  entityType: 'class',
  resource: 'constant',
  conditionKey: 'property',
  snippet: 'text',
  function: 'function',
  annotation: 'namespace',
};

function offerOf(doc: Text, c: Completion, boost: number): Offer {
  const base: Offer = { label: plain(c.label), type: KINDS[c.kind] ?? 'variable', boost };
  if (c.detail) base.detail = plain(c.detail);
  if (c.documentation) base.info = plain(c.documentation);
  const from = offsetOf(doc, c.range.start);
  const to = offsetOf(doc, c.range.end);
  if (c.kind === 'snippet' || c.insertText.includes('${1')) {
    const snippet = snippetCompletion(c.insertText, base);
    return {
      ...snippet,
      apply: (view, offer) => (snippet.apply as (v: EditorView, o: Offer, f: number, t: number) => void)(view, offer, from, to),
    };
  }
  return {
    ...base,
    apply: (view) =>
      view.dispatch({
        changes: { from, to, insert: c.insertText },
        selection: { anchor: from + c.insertText.length },
        userEvent: 'input.complete',
      }),
  };
}

async function complete(context: CompletionContext): Promise<CompletionResult | null> {
  const doc = context.state.doc;
  const before = context.matchBefore(/[\w.:/"*@-]+/);
  if (!before && !context.explicit) return null;
  const abort = new AbortController();
  context.addEventListener('abort', () => abort.abort(), { onDocChange: true });
  try {
    const { items } = await api.complete(doc.toString(), placeOf(doc, context.pos), abort.signal);
    if (items.length === 0) return null;
    // The API ranks; its order and its choice stay.
    const from = Math.min(...items.map((c) => offsetOf(doc, c.range.start)));
    return { from, filter: false, options: items.map((c, i) => offerOf(doc, c, -i)) };
  } catch {
    return null;
  }
}

// ---- Findings ------------------------------------------------------------------------

function diagnosticOf(doc: Text, f: Finding): Diagnostic {
  const from = offsetOf(doc, { line: f.line, column: f.column });
  const to = Math.max(from, offsetOf(doc, { line: f.end_line, column: f.end_column }));
  const text = f.suggestion ? `${f.message}\n${f.suggestion}` : f.message;
  return { from, to, severity: f.severity, source: f.code, message: plain(text).replaceAll('\\n', '\n') };
}

// ---- The editor ------------------------------------------------------------------------

export interface EditorOptions {
  parent: HTMLElement;
  text: string;
  label: string;
  changed(text: string): void;
  apply(): void;
  format(): void;
  leave(): void;
}

export class Editor {
  private readonly view: EditorView;

  constructor(o: EditorOptions) {
    const root = o.parent.shadowRoot ?? o.parent.attachShadow({ mode: 'open' });
    root.replaceChildren();
    const run = (f: () => void) => () => {
      f();
      return true;
    };
    this.view = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: o.text,
        extensions: [
          lineNumbers(),
          lintGutter(),
          history(),
          drawSelection(),
          highlightSpecialChars({ addSpecialChars: HIDDEN }),
          EditorView.lineWrapping,
          highlightActiveLine(),
          highlightActiveLineGutter(),
          highlightSelectionMatches(),
          bracketMatching(),
          closeBrackets(),
          indentUnit.of('    '),
          cedar,
          syntaxHighlighting(colours),
          autocompletion({ override: [complete], activateOnTypingDelay: 60, maxRenderedOptions: 75, icons: true }),
          look,
          EditorView.contentAttributes.of({ 'aria-label': o.label }),
          placeholder('// Rules of your own, in Cedar. What no permit allows is denied; a forbid wins.'),
          EditorView.updateListener.of((u) => u.docChanged && o.changed(u.state.doc.toString())),
          Prec.high(
            keymap.of([
              { key: 'Mod-s', run: run(o.apply), preventDefault: true },
              { key: 'Mod-Enter', run: run(o.apply) },
              { key: 'Shift-Alt-f', run: run(o.format) },
              { key: 'Tab', run: acceptCompletion },
            ]),
          ),
          keymap.of([
            ...closeBracketsKeymap,
            ...defaultKeymap,
            ...searchKeymap,
            ...historyKeymap,
            ...completionKeymap,
            ...lintKeymap,
            indentWithTab,
          ]),
          keymap.of([{ key: 'Escape', run: run(o.leave) }]),
        ],
      }),
    });
  }

  get text(): string {
    return this.view.state.doc.toString();
  }

  // Replaces what differs only, so that cursor and scroll position stay where they can.
  setText(text: string): void {
    const old = this.text;
    if (old === text) return;
    let start = 0;
    while (start < old.length && start < text.length && old[start] === text[start]) start++;
    let end = 0;
    while (end < old.length - start && end < text.length - start && old[old.length - 1 - end] === text[text.length - 1 - end]) end++;
    this.view.dispatch({ changes: { from: start, to: old.length - end, insert: text.slice(start, text.length - end) } });
  }

  mark(findings: Finding[]): void {
    const doc = this.view.state.doc;
    this.view.dispatch(setDiagnostics(this.view.state, findings.map((f) => diagnosticOf(doc, f))));
  }

  goTo(place: Place): void {
    const at = offsetOf(this.view.state.doc, place);
    this.view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: 'center' }) });
    this.view.focus();
  }

  destroy(): void {
    this.view.destroy();
  }
}
