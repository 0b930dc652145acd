import { DataSourceSettings } from '@grafana/data';
import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import React, { useState } from 'react';

import { HengeOptions, HengeSecrets } from '../types';
import { ConfigEditor } from './ConfigEditor';

type Settings = DataSourceSettings<HengeOptions, HengeSecrets>;

let saved: Settings;

function show(options: Partial<Settings>) {
  function Page() {
    const [settings, setSettings] = useState({ url: '', jsonData: {}, secureJsonFields: {}, ...options } as Settings);
    saved = settings;
    return <ConfigEditor options={settings} onOptionsChange={setSettings} />;
  }
  render(<Page />);
}

test('a key goes to the secrets and nowhere else', async () => {
  show({ jsonData: { authentication: 'bearer' } });
  await userEvent.type(screen.getByLabelText(/^Key/), 'ID.SECRET');
  expect(saved.secureJsonData).toEqual({ key: 'ID.SECRET' });
  expect(saved.jsonData).toEqual({ authentication: 'bearer' });
});

test('a key that is set is not shown, and can be replaced', async () => {
  show({ jsonData: { authentication: 'bearer' }, secureJsonFields: { key: true } });
  expect(screen.getByLabelText(/^Key/)).toBeDisabled();
  await userEvent.click(screen.getByRole('button', { name: /reset/i }));
  expect(saved.secureJsonFields).toEqual({ key: false });
  expect(screen.getByLabelText(/^Key/)).toBeEnabled();
});

test('what provisioning says is what the page shows', () => {
  show({ url: 'http://henge:8888', jsonData: { defaultDatasource: 'fleet', timeout: 7, oauthPassThru: true, tlsSkipVerify: true } });
  expect(screen.getByLabelText(/^URL/)).toHaveValue('http://henge:8888');
  expect(screen.getByLabelText(/^Default datasource/)).toHaveValue('fleet');
  expect(screen.getByLabelText(/^Timeout/)).toHaveValue(7);
  expect(screen.getByLabelText(/^Method/)).toHaveValue('Forward the OAuth token');
  expect(screen.getByLabelText(/^Skip verification/)).toBeChecked();
});

test('a certificate authority is asked for once it is wanted', async () => {
  show({});
  expect(screen.queryByLabelText(/^CA certificate/)).toBeNull();
  await userEvent.click(screen.getByLabelText(/^Own certificate authority/));
  await userEvent.type(screen.getByLabelText(/^CA certificate/), 'PEM');
  expect(saved.jsonData).toEqual({ tlsAuthWithCACert: true });
  expect(saved.secureJsonData).toEqual({ tlsCACert: 'PEM' });
});
