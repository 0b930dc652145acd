//! What PostgreSQL has and there never is here: indexes, constraints, triggers, comments, extensions and the like.

use super::{CatalogTable, PG_CATALOG};

const fn empty(name: &'static str, columns: &'static str) -> CatalogTable {
    CatalogTable { schema: PG_CATALOG, name, columns, rows: |_| Vec::new() }
}

pub(super) const TABLES: [CatalogTable; 34] = [
    empty("pg_attrdef", "oid long, adrelid long, adnum long, adbin text"),
    empty("pg_authid", "oid long, rolname text"),
    empty("pg_auth_members", "roleid long, member long, grantor long, admin_option flag"),
    empty("pg_cast", "oid long, castsource long, casttarget long, castfunc long, castcontext text, castmethod text"),
    empty(
        "pg_collation",
        "oid long, collname text, collnamespace long, collowner long, collcollate text, collctype text",
    ),
    empty(
        "pg_constraint",
        "oid long, conname text, connamespace long, contype text, condeferrable flag, condeferred flag, \
         convalidated flag, conrelid long, contypid long, conindid long, conparentid long, confrelid long, \
         confupdtype text, confdeltype text, confmatchtype text, conislocal flag, coninhcount long, \
         connoinherit flag, conkey text, confkey text, conbin text",
    ),
    empty(
        "pg_depend",
        "classid long, objid long, objsubid long, refclassid long, refobjid long, refobjsubid long, deptype text",
    ),
    empty("pg_description", "objoid long, classoid long, objsubid long, description text"),
    empty("pg_enum", "oid long, enumtypid long, enumsortorder long, enumlabel text"),
    empty("pg_event_trigger", "oid long, evtname text, evtevent text, evtowner long, evtfoid long, evtenabled text"),
    empty(
        "pg_extension",
        "oid long, extname text, extowner long, extnamespace long, extrelocatable flag, extversion text",
    ),
    empty("pg_foreign_data_wrapper", "oid long, fdwname text, fdwowner long"),
    empty("pg_foreign_server", "oid long, srvname text, srvowner long, srvfdw long, srvoptions text"),
    empty("pg_foreign_table", "ftrelid long, ftserver long, ftoptions text"),
    empty(
        "pg_index",
        "indexrelid long, indrelid long, indnatts long, indnkeyatts long, indisunique flag, indisprimary flag, \
         indisexclusion flag, indimmediate flag, indisclustered flag, indisvalid flag, indisready flag, indislive flag, \
         indisreplident flag, indkey text, indcollation text, indclass text, indoption text, indexprs text, indpred text, \
         indnullsnotdistinct flag",
    ),
    empty("pg_indexes", "schemaname text, tablename text, indexname text, tablespace text, indexdef text"),
    empty("pg_inherits", "inhrelid long, inhparent long, inhseqno long, inhdetachpending flag"),
    empty("pg_language", "oid long, lanname text, lanowner long, lanispl flag, lanpltrusted flag"),
    empty("pg_matviews", "schemaname text, matviewname text, matviewowner text, ispopulated flag, definition text"),
    empty("pg_operator", "oid long, oprname text, oprnamespace long, oprleft long, oprright long, oprresult long"),
    empty("pg_partitioned_table", "partrelid long, partstrat text, partnatts long, partdefid long, partattrs text"),
    empty(
        "pg_policy",
        "oid long, polname text, polrelid long, polcmd text, polpermissive flag, polroles text, polqual text, \
         polwithcheck text",
    ),
    empty(
        "pg_proc",
        "oid long, proname text, pronamespace long, proowner long, prolang long, prokind text, proretset flag, \
         prorettype long, pronargs long, proargtypes text, proargnames text, proargmodes text, proallargtypes text",
    ),
    empty("pg_publication", "oid long, pubname text, pubowner long, puballtables flag"),
    empty("pg_publication_namespace", "oid long, pnpubid long, pnnspid long"),
    empty("pg_publication_rel", "oid long, prpubid long, prrelid long, prqual text, prattrs text"),
    empty("pg_range", "rngtypid long, rngsubtype long, rngmultitypid long, rngcollation long, rngsubopc long"),
    empty("pg_rewrite", "oid long, rulename text, ev_class long, ev_type text, ev_enabled text, is_instead flag"),
    empty("pg_sequence", "seqrelid long, seqtypid long, seqstart long, seqincrement long, seqmax long, seqmin long"),
    empty("pg_shdescription", "objoid long, classoid long, description text"),
    empty(
        "pg_statistic_ext",
        "oid long, stxrelid long, stxname text, stxnamespace long, stxowner long, stxstattarget long, stxkeys text, \
         stxkind text",
    ),
    empty(
        "pg_stat_activity",
        "datid long, datname text, pid long, usename text, application_name text, state text, query text",
    ),
    empty("pg_tablespace", "oid long, spcname text, spcowner long, spcacl text, spcoptions text"),
    empty(
        "pg_trigger",
        "oid long, tgrelid long, tgparentid long, tgname text, tgfoid long, tgtype long, tgenabled text, \
         tgisinternal flag, tgconstraint long",
    ),
];
