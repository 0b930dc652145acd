import { Button, CodeEditor, Monaco, MonacoEditor, Stack } from '@grafana/ui';
import React, { useCallback, useEffect, useRef } from 'react';

import { Catalogue, Problem } from '../api';
import { formatSql } from '../sql/format';
import { markerOf } from '../sql/markers';
import { registerCompletion } from './monacoCompletion';

/** Whose underlines these are, among Monaco's other ones. */
const MARKER_OWNER = 'henge';

interface Props {
  sql: string;
  catalogue: Catalogue;
  variables: string[];
  problem?: Problem;
  onChange: (sql: string) => void;
  onRun?: () => void;
}

export function SqlEditor({ sql, catalogue, variables, problem, onChange, onRun }: Props) {
  const mounted = useRef<{ editor: MonacoEditor; monaco: Monaco }>(undefined);
  const completion = useRef<{ dispose: () => void }>(undefined);
  // The provider is registered once and reads what is known when it is asked.
  const known = useRef({ catalogue, variables });
  known.current = { catalogue, variables };

  const mark = useCallback(() => {
    const model = mounted.current?.editor.getModel();
    if (mounted.current && model) {
      const { monaco } = mounted.current;
      const markers = problem ? [{ ...markerOf(problem, model.getValue()), severity: monaco.MarkerSeverity.Error }] : [];
      monaco.editor.setModelMarkers(model, MARKER_OWNER, markers);
    }
  }, [problem]);
  useEffect(mark, [mark]);
  useEffect(() => () => completion.current?.dispose(), []);

  const format = () => {
    try {
      onChange(formatSql(sql));
    } catch {
      // What cannot be laid out has a mistake, and that is underlined.
    }
  };
  return (
    <Stack direction="column" gap={0.5}>
      <CodeEditor
        language="sql"
        value={sql}
        height={180}
        showLineNumbers
        showMiniMap={false}
        monacoOptions={{ fixedOverflowWidgets: true, scrollBeyondLastLine: false, ariaLabel: 'SQL' }}
        onChange={onChange}
        onBlur={onChange}
        onSave={(text) => {
          onChange(text);
          onRun?.();
        }}
        onEditorDidMount={(editor, monaco) => {
          mounted.current = { editor, monaco };
          completion.current = registerCompletion(editor, monaco, () => known.current);
          mark();
        }}
      />
      <Stack direction="row" gap={1}>
        <Button variant="secondary" size="sm" icon="brackets-curly" onClick={format}>
          Format
        </Button>
      </Stack>
    </Stack>
  );
}
