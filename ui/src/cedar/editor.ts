// The policy editor. It stands in a shadow root, because there CodeMirror's styles
// become style sheets by script, which a strict content policy allows; in the page
// itself they would be a <style> element, which it does not.
import {
  acceptCompletion,
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
  snippet,
  type Completion as Offer,
  type CompletionContext,
  type CompletionResult,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { bracketMatching, HighlightStyle, indentUnit, StreamLanguage, syntaxHighlighting } from '@codemirror/language';
import { lintGutter, lintKeymap, setDiagnostics, type Diagnostic } from '@codemirror/lint';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import { EditorState, Prec, type ChangeDesc, type Text } from '@codemirror/state';
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

type Put = (view: EditorView, offer: Offer, from: number, to: number) => void;

const putText =
  (insert: string): Put =>
  (view, _, from, to) =>
    view.dispatch({
      changes: { from, to, insert },
      selection: { anchor: from + insert.length },
      userEvent: 'input.complete',
    });

function offerOf(c: Completion, boost: number): Offer {
  const offer: Offer = { label: plain(c.label), type: KINDS[c.kind] ?? 'variable', boost };
  if (c.detail) offer.detail = plain(c.detail);
  if (c.documentation) offer.info = plain(c.documentation);
  return offer;
}

interface Offered {
  offer: Offer;
  put: Put;
  // What it replaces, in the text as it is now.
  from: number;
  to: number;
}

// The newest list of completions.
class Offers {
  private list: Offered[] = [];

  readonly source = async (context: CompletionContext): Promise<CompletionResult | null> => {
    const doc = context.state.doc;
    const before = context.matchBefore(/[\w.:/"*@-]+/);
    if (!before && !context.explicit) return null;
    const abort = new AbortController();
    context.addEventListener('abort', () => abort.abort(), { onDocChange: true });
    try {
      const { items } = await api.complete(doc.toString(), placeOf(doc, context.pos), abort.signal);
      if (items.length === 0 || context.aborted) return null;
      // The API ranks; its order and its choice stay.
      this.list = items.map((c, i) => this.offered(doc, c, -i));
      return { from: Math.min(...this.list.map((o) => o.from)), filter: false, options: this.list.map((o) => o.offer) };
    } catch {
      return null;
    }
  };

  moved(changes: ChangeDesc): void {
    for (const o of this.list) {
      o.from = changes.mapPos(o.from, -1);
      o.to = changes.mapPos(o.to, 1);
    }
  }

  // CodeMirror drops a click while a newer list is on its way, though the old one is still there to be
  // clicked on. Who chose from it means what was written there.
  clicked(event: Event, view: EditorView): void {
    const line = (event.target as Element).closest('.cm-tooltip-autocomplete-disabled li');
    const label = line?.querySelector('.cm-completionLabel')?.textContent;
    const found = this.list.find((o) => o.offer.label === label);
    if (!found) return;
    event.preventDefault();
    event.stopPropagation();
    found.put(view, found.offer, found.from, found.to);
  }

  private offered(doc: Text, c: Completion, boost: number): Offered {
    const it: Offered = {
      offer: offerOf(c, boost),
      put: c.kind === 'snippet' || c.insertText.includes('${1') ? snippet(c.insertText) : putText(c.insertText),
      from: offsetOf(doc, c.range.start),
      to: offsetOf(doc, c.range.end),
    };
    it.offer.apply = (view) => it.put(view, it.offer, it.from, it.to);
    return it;
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
    const offers = new Offers();
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
          autocompletion({ override: [offers.source], activateOnTypingDelay: 60, maxRenderedOptions: 75, icons: true }),
          look,
          EditorView.contentAttributes.of({ 'aria-label': o.label }),
          placeholder('// Rules of your own, in Cedar. What no permit allows is denied; a forbid wins.'),
          EditorView.updateListener.of((u) => {
            if (!u.docChanged) return;
            offers.moved(u.changes);
            o.changed(u.state.doc.toString());
          }),
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
    this.view.dom.addEventListener('mousedown', (e) => offers.clicked(e, this.view), { capture: true });
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
