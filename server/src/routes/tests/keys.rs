use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use henge_query::reader::Tenant;

use super::*;
use crate::auth::access::Access;
use crate::auth::key::{Key, Role};
use crate::auth::key_files;

/// A server with a datasource of two tenants, one of which has no name, and its keys.
pub(super) struct Keyed {
    pub(super) fixture: Fixture,
    pub(super) admin: String,
    pub(super) viewer: (Key, String),
}

impl Keyed {
    pub(super) async fn new() -> Self {
        let fixture = Fixture::new().await;
        let usage = fixture.publish().await;
        let schema = henge_segment_store::schema::DataSourceSchema {
            tenant: Some("org".into()),
            ..usage.schema().as_ref().clone()
        };
        let store = &fixture.app.services().unwrap().store;
        let spec = SupervisorSpec::from_json(&spec_json()).unwrap().spec;
        store.put_supervisor(usage.name(), schema, spec.to_json(), true, spec.upkeep.clone()).await.unwrap();
        let objects = Objects::Local(fixture.data_dir.path().join("store"));
        let (key, secret) = key_files::create(&objects, Role::Admin, None).await.unwrap();
        let admin = format!("Bearer {}.{}", key.id, secret.reveal());
        let role = Role::MetricsViewer(Tenant::new("a").unwrap());
        let (key, secret) = key_files::create(&objects, role, None).await.unwrap();
        let viewer = format!("Bearer {}.{}", key.id, secret.reveal());
        Self { fixture, admin, viewer: (key, viewer) }
    }

    pub(super) async fn send(&self, method: &str, path: &str, authorization: Option<&str>, body: &str) -> Response {
        let request = Request::builder().method(method).uri(path).header("content-type", "text/plain");
        let request = authorization.into_iter().fold(request, |request, text| request.header(AUTHORIZATION, text));
        self.fixture.router.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap()
    }

    pub(super) async fn sql(&self, authorization: &str, sql: &str) -> (u16, String) {
        let response = self.send("POST", "/druid/v2/sql", Some(authorization), sql).await;
        (response.status().as_u16(), text_of(response).await)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_is_open_to_those_whom_the_list_names_and_to_no_others() {
    let keyed = Keyed::new().await;
    for operation in OPERATIONS {
        let path = operation.path.replace('{', "no-").replace('}', "");
        for slash in ["", "/"] {
            let ask = async |authorization| {
                let method = operation.method.to_uppercase();
                let response = keyed.send(&method, &format!("{path}{slash}"), authorization, "").await;
                response.status().as_u16()
            };
            let (anyone, viewer) = (ask(None).await, ask(Some(keyed.viewer.1.as_str())).await);
            let is_let_in = |status: u16| status != 401 && status != 403;
            let expected = (operation.access == Access::Anyone, operation.access != Access::Admins);
            assert_eq!((is_let_in(anyone), is_let_in(viewer)), expected, "{} {path}", operation.method);
            assert!(matches!(anyone, 401) || is_let_in(anyone), "{path}: {anyone}");
            // Those that change something were asked by nobody above.
            if operation.method == "get" {
                assert!(is_let_in(ask(Some(keyed.admin.as_str())).await), "{path}");
            }
        }
    }
    assert_eq!(keyed.send("GET", "/nothing", None, "").await.status(), 401);
    assert_eq!(keyed.send("GET", "/nothing", Some(&keyed.admin), "").await.status(), 404);
    assert_eq!(keyed.send("PUT", "/druid/v2/sql", Some(&keyed.viewer.1), "").await.status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denial_has_the_form_of_its_door() {
    let keyed = Keyed::new().await;
    let denied = keyed.send("POST", "/druid/v2/sql", Some("Bearer ABCDEFGHIJKLM234.henge_no"), "SELECT 1").await;
    assert_eq!(header(&denied, WWW_AUTHENTICATE.as_str()), Some("Basic realm=\"henge\", Bearer realm=\"henge\""));
    let expected = json!({
        "error": "druidException", "errorCode": "unauthorized", "persona": "USER", "category": "UNAUTHORIZED",
        "errorMessage": "there is no such key with such a secret; it may have been revoked", "context": {},
    });
    assert_eq!(json_of(denied).await, (401, expected));
    let forbidden = json_of(keyed.send("GET", "/metrics", Some(&keyed.viewer.1), "").await).await;
    assert_eq!((forbidden.0, &forbidden.1["category"]), (403, &json!("FORBIDDEN")));
    let (status, body) = json_of(keyed.send("GET", "/v2/metrics/cloud/nothing", None, "").await).await;
    let error = &body["errors"][0];
    assert_eq!((status, &error["status"], &error["code"]), (401, &json!("401"), &json!("unauthorized")));
    assert!(error["detail"].as_str().unwrap().starts_with("a key is needed"), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_organisation_comes_from_the_key_alone() {
    let keyed = Keyed::new().await;
    let sql = "SELECT org, SUM(bytes) AS b FROM usage GROUP BY 1";
    let admin = "[{\"org\":null,\"b\":7},{\"org\":\"a\",\"b\":5}]\n";
    assert_eq!(keyed.sql(&keyed.admin, &format!("{sql} ORDER BY 1")).await, (200, admin.to_owned()));
    let own = "[{\"org\":\"a\",\"b\":5}]\n";
    assert_eq!(keyed.sql(&keyed.viewer.1, sql).await, (200, own.to_owned()));
    // What the request itself says of its asker says nothing.
    let body = json!({ "query": sql, "reader": "Everything", "context": { "reader": "everything", "org": "b" } });
    let request = Request::post("/druid/v2/sql?org=b").header("content-type", "application/json");
    let request = request.header(AUTHORIZATION, &keyed.viewer.1).header("x-scope-orgid", "b");
    let response =
        keyed.fixture.router.clone().oneshot(request.body(Body::from(body.to_string())).unwrap()).await.unwrap();
    assert_eq!(text_of(response).await, own);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_opens_nothing_from_that_moment_on() {
    let keyed = Keyed::new().await;
    assert_eq!(keyed.sql(&keyed.viewer.1, "SELECT 1 AS a").await.0, 200);
    let objects = Objects::Local(keyed.fixture.data_dir.path().join("store"));
    key_files::revoke(&objects, keyed.viewer.0.id.as_str()).await.unwrap();
    assert_eq!(keyed.sql(&keyed.viewer.1, "SELECT 1 AS a").await.0, 401);
    assert_eq!(keyed.sql(&keyed.admin, "SELECT 1 AS a").await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_cancels_its_own_queries_alone() {
    let keyed = Keyed::new().await;
    let rows: Vec<_> = (0..10_000).map(|at| event(at, Some("a"), at, at)).collect();
    keyed.fixture.app.services().unwrap().store.data_source("usage").unwrap().append(&rows);
    let request = json!({ "query": "SELECT org, bytes FROM usage", "context": { "sqlQueryId": "theirs" } });
    let request = Request::post("/druid/v2/sql").header("content-type", "application/json").body(request.to_string());
    let mut request = request.unwrap().map(Body::from);
    request.headers_mut().insert(AUTHORIZATION, keyed.admin.parse().unwrap());
    let _answer = keyed.fixture.router.clone().oneshot(request).await.unwrap();
    let cancel = async |authorization: &str| {
        keyed.send("DELETE", "/druid/v2/sql/theirs", Some(authorization), "").await.status().as_u16()
    };
    assert_eq!(cancel(&keyed.viewer.1).await, 404);
    assert_eq!(cancel(&keyed.admin).await, 202);
}
