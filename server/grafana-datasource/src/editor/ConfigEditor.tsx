import { DataSourcePluginOptionsEditorProps } from '@grafana/data';
import { Combobox, Divider, Field, FieldSet, Input, SecretInput, SecretTextArea, Switch } from '@grafana/ui';
import React from 'react';

import { Authentication, HengeOptions, HengeSecrets } from '../types';

type Props = DataSourcePluginOptionsEditorProps<HengeOptions, HengeSecrets>;

const AUTHENTICATIONS: Array<{ value: Authentication; label: string; description: string }> = [
  { value: 'none', label: 'None', description: 'a server on loopback' },
  { value: 'bearer', label: 'Key', description: 'Authorization: Bearer ID.SECRET' },
  { value: 'basic', label: 'User and password', description: 'Authorization: Basic, with the id and secret of a key' },
  { value: 'forward', label: 'Forward the OAuth token', description: 'of the person who looks' },
];

const WIDTH = 50;

export function ConfigEditor({ options, onOptionsChange }: Props) {
  const { jsonData } = options;
  const authentication: Authentication = jsonData.oauthPassThru ? 'forward' : jsonData.authentication ?? 'none';
  const set = (change: Partial<HengeOptions>) => onOptionsChange({ ...options, jsonData: { ...jsonData, ...change } });
  return (
    <>
      <FieldSet label="Connection">
        <Field label="URL" description="Where Henge listens, as the Grafana server reaches it" required>
          <Input
            id="henge-url"
            width={WIDTH}
            placeholder="http://127.0.0.1:8888"
            value={options.url}
            onChange={({ currentTarget }) => onOptionsChange({ ...options, url: currentTarget.value })}
          />
        </Field>
        <Field label="Timeout in seconds" description="30 if nothing is set">
          <Input
            id="henge-timeout"
            width={WIDTH}
            type="number"
            min={1}
            placeholder="30"
            value={jsonData.timeout ?? ''}
            onChange={({ currentTarget }) => set({ timeout: currentTarget.value === '' ? undefined : Number(currentTarget.value) })}
          />
        </Field>
        <Field label="Default datasource" description="What a new query asks">
          <Input
            id="henge-default-datasource"
            width={WIDTH}
            value={jsonData.defaultDatasource ?? ''}
            onChange={({ currentTarget }) => set({ defaultDatasource: currentTarget.value || undefined })}
          />
        </Field>
      </FieldSet>
      <Divider />
      <FieldSet label="Authentication">
        <Field label="Method" htmlFor="henge-authentication">
          <Combobox
            id="henge-authentication"
            width={WIDTH}
            options={AUTHENTICATIONS}
            value={authentication}
            onChange={({ value }) =>
              onOptionsChange({
                ...options,
                basicAuth: value === 'basic',
                jsonData: { ...jsonData, authentication: value, oauthPassThru: value === 'forward' },
              })
            }
          />
        </Field>
        {authentication === 'bearer' && (
          <Secret {...{ options, onOptionsChange }} name="key" label="Key" description="ID.SECRET, as `henge keys create` shows it" />
        )}
        {authentication === 'basic' && (
          <>
            <Field label="User" description="The id of the key">
              <Input
                id="henge-user"
                width={WIDTH}
                value={options.basicAuthUser}
                onChange={({ currentTarget }) => onOptionsChange({ ...options, basicAuthUser: currentTarget.value })}
              />
            </Field>
            <Secret {...{ options, onOptionsChange }} name="basicAuthPassword" label="Password" description="The secret of the key" />
          </>
        )}
        <Flag
          label="Say who looks"
          description="Sends the login of the person in X-Grafana-User. It says who asks, and gives no rights."
          id="henge-forward-user"
          value={jsonData.forwardUser}
          onChange={(forwardUser) => set({ forwardUser })}
        />
      </FieldSet>
      <Divider />
      <Tls {...{ options, onOptionsChange }} />
    </>
  );
}

function Tls({ options, onOptionsChange }: Props) {
  const { jsonData } = options;
  const set = (change: Partial<HengeOptions>) => onOptionsChange({ ...options, jsonData: { ...jsonData, ...change } });
  return (
    <FieldSet label="TLS">
      <Flag
        label="Own certificate authority"
        id="henge-tls-ca"
        value={jsonData.tlsAuthWithCACert}
        onChange={(tlsAuthWithCACert) => set({ tlsAuthWithCACert })}
      />
      {jsonData.tlsAuthWithCACert && <Secret {...{ options, onOptionsChange }} name="tlsCACert" label="CA certificate" isText />}
      <Flag label="Client certificate" id="henge-tls-client" value={jsonData.tlsAuth} onChange={(tlsAuth) => set({ tlsAuth })} />
      {jsonData.tlsAuth && (
        <>
          <Field label="Server name">
            <Input
              id="henge-tls-server-name"
              width={WIDTH}
              value={jsonData.serverName ?? ''}
              onChange={({ currentTarget }) => set({ serverName: currentTarget.value || undefined })}
            />
          </Field>
          <Secret {...{ options, onOptionsChange }} name="tlsClientCert" label="Certificate" isText />
          <Secret {...{ options, onOptionsChange }} name="tlsClientKey" label="Private key" isText />
        </>
      )}
      <Flag
        label="Skip verification"
        description="Whoever is between Grafana and the server can then read and change everything."
        id="henge-tls-skip"
        value={jsonData.tlsSkipVerify}
        onChange={(tlsSkipVerify) => set({ tlsSkipVerify })}
      />
    </FieldSet>
  );
}

interface FlagProps {
  id: string;
  label: string;
  description?: string;
  value?: boolean;
  onChange: (value: boolean) => void;
}

function Flag({ id, label, description, value, onChange }: FlagProps) {
  return (
    <Field label={label} description={description}>
      <Switch id={id} value={value ?? false} onChange={({ currentTarget }) => onChange(currentTarget.checked)} />
    </Field>
  );
}

interface SecretProps extends Props {
  name: keyof HengeSecrets;
  label: string;
  description?: string;
  /** Several lines. */
  isText?: boolean;
}

/** A secret is written, never read: Grafana says only that there is one. */
function Secret({ options, onOptionsChange, name, label, description, isText }: SecretProps) {
  const common = {
    id: `henge-secret-${name}`,
    isConfigured: options.secureJsonFields?.[name] ?? false,
    value: options.secureJsonData?.[name] ?? '',
    onReset: () =>
      onOptionsChange({
        ...options,
        secureJsonFields: { ...options.secureJsonFields, [name]: false },
        secureJsonData: { ...options.secureJsonData, [name]: '' },
      }),
    onChange: ({ currentTarget }: React.FormEvent<HTMLInputElement | HTMLTextAreaElement>) =>
      onOptionsChange({ ...options, secureJsonData: { ...options.secureJsonData, [name]: currentTarget.value } }),
  };
  return (
    <Field label={label} description={description}>
      {isText ? <SecretTextArea {...common} cols={WIDTH} rows={7} /> : <SecretInput {...common} width={WIDTH} />}
    </Field>
  );
}
