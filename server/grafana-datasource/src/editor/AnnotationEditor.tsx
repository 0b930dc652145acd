import { QueryEditorProps } from '@grafana/data';
import { Text } from '@grafana/ui';
import React from 'react';

import type { HengeDatasource } from '../datasource';
import { HengeOptions, HengeQuery } from '../types';
import { SqlEditor } from './SqlEditor';
import { useCatalogue } from './useCatalogue';

/** Annotations are a statement with the columns time, timeEnd, title, text and tags. */
export function AnnotationEditor({ datasource, query, onChange, onRunQuery }: QueryEditorProps<HengeDatasource, HengeQuery, HengeOptions>) {
  const { catalogue } = useCatalogue(datasource.api);
  const sql = query.query?.mode === 'sql' ? query.query.sql : '';
  return (
    <>
      <Text variant="bodySmall" color="secondary">
        Columns: time and text; timeEnd, title and tags if there are any.
      </Text>
      <SqlEditor
        sql={sql}
        catalogue={catalogue}
        variables={datasource.templateSrv.getVariables().map(({ name }) => name)}
        onChange={(text) => onChange({ ...query, query: { mode: 'sql', format: 'table', sql: text } })}
        onRun={onRunQuery}
      />
    </>
  );
}
