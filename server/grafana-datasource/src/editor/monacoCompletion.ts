/** Hands completions to one editor: Monaco asks its providers for every editor of a language on the page. */

import { Monaco, MonacoEditor, monacoTypes } from '@grafana/ui';

import { Catalogue } from '../api';
import { completionsAt, Kind } from '../sql/completion';

export function registerCompletion(
  editor: MonacoEditor,
  monaco: Monaco,
  known: () => { catalogue: Catalogue; variables: string[] }
): monacoTypes.IDisposable {
  const { CompletionItemKind, CompletionItemInsertTextRule } = monaco.languages;
  const kinds: Record<Kind, monacoTypes.languages.CompletionItemKind> = {
    table: CompletionItemKind.Struct,
    column: CompletionItemKind.Field,
    function: CompletionItemKind.Function,
    macro: CompletionItemKind.Method,
    variable: CompletionItemKind.Variable,
    keyword: CompletionItemKind.Keyword,
  };
  // Columns before functions, functions before words of the language.
  const ranks: Kind[] = ['table', 'column', 'variable', 'macro', 'function', 'keyword'];
  return monaco.languages.registerCompletionItemProvider('sql', {
    triggerCharacters: ['$', '{', '"', ' '],
    provideCompletionItems: (model, position) => {
      if (model !== editor.getModel()) {
        return { suggestions: [] };
      }
      const { catalogue, variables } = known();
      const { replaces, items } = completionsAt(model.getValue(), model.getOffsetAt(position), catalogue, variables);
      const range = {
        startLineNumber: position.lineNumber,
        endLineNumber: position.lineNumber,
        startColumn: position.column - replaces,
        endColumn: position.column,
      };
      return {
        suggestions: items.map(({ label, kind, insert, isSnippet, detail, documentation }) => ({
          label,
          kind: kinds[kind],
          insertText: insert,
          insertTextRules: isSnippet ? CompletionItemInsertTextRule.InsertAsSnippet : undefined,
          detail,
          documentation,
          sortText: `${ranks.indexOf(kind)}${label}`,
          range,
        })),
      };
    },
  });
}
