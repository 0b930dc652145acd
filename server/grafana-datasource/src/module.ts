import { DataSourcePlugin } from '@grafana/data';

import { HengeDatasource } from './datasource';
import { ConfigEditor } from './editor/ConfigEditor';
import { QueryEditor } from './editor/QueryEditor';
import { HengeOptions, HengeQuery, HengeSecrets } from './types';

export const plugin = new DataSourcePlugin<HengeDatasource, HengeQuery, HengeOptions, HengeSecrets>(HengeDatasource)
  .setConfigEditor(ConfigEditor)
  .setQueryEditor(QueryEditor);
