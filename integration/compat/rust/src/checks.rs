//! One function a feature. Ok is "yes".

use crate::client::{Outcome, Session, Setting, refused, same};
use arrow_array::{ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray, UInt64Array, new_null_array};
use arrow_cast::display::array_value_to_string;
use arrow_flight::sql::{
    CommandGetCrossReference, CommandGetDbSchemas, CommandGetExportedKeys, CommandGetImportedKeys, CommandGetPrimaryKeys, CommandGetTables,
    CommandGetXdbcTypeInfo, CommandStatementIngest, CommandStatementQuery, EndTransaction, ProstMessageExt, SqlInfo, TableDefinitionOptions,
    TableExistsOption, TableNotExistOption,
};
use arrow_flight::{CancelFlightInfoRequest, Criteria, FlightDescriptor, FlightEndpoint, RenewFlightEndpointRequest, Ticket};
use futures::{TryStreamExt, stream};
use prost::Message;
use std::sync::Arc;
use std::time::Duration;

const VALUE: &str = "SELECT value FROM sys.settings WHERE name = 'arbalest.partitions'";

pub async fn login(s: Setting) -> Outcome {
    let mut session = s.login(&s.text("/secure/user"), &s.text("/secure/password")).await?;
    session.query("SELECT count(*) FROM spread", &[&s.number("/spread_rows").to_string()]).await?;
    for user in ["ada", "nobody"] {
        refused(s.login(user, "wrong").await.map(drop), &["Unauthenticated", "valid authentication credentials"])?;
    }
    let mut stranger = arrow_flight::sql::client::FlightSqlServiceClient::new(s.secure(true).await?);
    refused(stranger.execute("SELECT 1".into(), None).await.map_err(Into::into), &["Unauthenticated"])
}

pub async fn token(s: Setting) -> Outcome {
    let session = s.login(&s.text("/secure/user"), &s.text("/secure/password")).await?;
    let token = session.client.token().cloned().ok_or("the login gave no token")?;
    let mut other = Session { client: arrow_flight::sql::client::FlightSqlServiceClient::new(s.secure(true).await?), setting: s.clone() };
    other.client.set_token(token.clone());
    other.query("SELECT 42", &["42"]).await?;
    other.client.set_token(format!("{}xx", &token[..token.len() - 2]));
    loop {
        match other.rows("SELECT 1").await {
            // The other clients of the kit have guessed, too.
            Err(fault) if format!("{fault:?}").contains("too many failed logins") => tokio::time::sleep(Duration::from_secs(1)).await,
            outcome => return refused(outcome, &["Unauthenticated"]),
        }
    }
}

pub async fn tls(s: Setting) -> Outcome {
    let mut session = s.login(&s.text("/secure/user"), &s.text("/secure/password")).await?;
    session.query("SELECT 1", &["1"]).await?;
    refused(s.secure(false).await, &["UnknownIssuer", "certificate", "Certificate"])
}

pub async fn session(c: &mut Session) -> Outcome {
    c.rows("SET arbalest.partitions = 7").await?;
    c.query(VALUE, &["7"]).await?;
    let mut other = c.setting.session().await?;
    other.query(VALUE, &["0"]).await
}

pub async fn prepared(c: &mut Session) -> Outcome {
    let mut p = c.client.prepare("SELECT n, s FROM numbers WHERE n < 3 ORDER BY n".into(), None).await?;
    if p.dataset_schema()?.fields().len() != 2 {
        return Err("the result's schema is not known".into());
    }
    for _ in 0..2 {
        let info = p.execute().await?;
        same(&c.texts(info).await?, &["0|0", "1|1", "2|2"])?;
    }
    Ok(p.close().await?)
}

async fn bound(c: &mut Session, sql: &str, column: ArrayRef) -> Outcome<Vec<String>> {
    let mut p = c.client.prepare(sql.into(), None).await?;
    p.set_parameters(RecordBatch::try_from_iter_with_nullable([("p", column, true)])?)?;
    let info = p.execute().await?;
    let rows = c.texts(info).await;
    p.close().await?;
    rows
}

pub async fn parameters(c: &mut Session) -> Outcome {
    let values: Vec<(ArrayRef, &str)> = vec![
        (Arc::new(BooleanArray::from(vec![true])), "BOOLEAN"),
        (Arc::new(Int32Array::from(vec![i32::MIN])), "INTEGER"),
        (Arc::new(Int64Array::from(vec![i64::MIN])), "BIGINT"),
        (Arc::new(UInt64Array::from(vec![u64::MAX])), "UBIGINT"),
        (Arc::new(Float64Array::from(vec![-0.25])), "DOUBLE"),
        (Arc::new(Decimal128Array::from(vec![-12345678]).with_precision_and_scale(18, 3)?), "DECIMAL(18,3)"),
        (Arc::new(StringArray::from(vec!["héllo"])), "VARCHAR"),
        (Arc::new(Date32Array::from(vec![8094])), "DATE"),
    ];
    for (column, kind) in values {
        let want = array_value_to_string(&column, 0)?;
        let sql = format!("SELECT CAST(? AS {kind})");
        same(&bound(c, &sql, column.clone()).await?, &[&want]).map_err(|e| format!("{kind}: {e}"))?;
        same(&bound(c, &format!("SELECT CAST(? AS {kind}) IS NULL"), new_null_array(column.data_type(), 1)).await?, &["true"])?;
    }
    Ok(())
}

pub async fn many_rows(c: &mut Session) -> Outcome {
    c.update("CREATE TEMP TABLE many (a BIGINT)", -1).await?;
    let mut p = c.client.prepare("INSERT INTO many VALUES (?)".into(), None).await?;
    let column: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
    p.set_parameters(RecordBatch::try_from_iter([("p", column)])?)?;
    if p.execute_update().await? != 3 {
        return Err("3 rows were not counted".into());
    }
    p.close().await?;
    c.query("SELECT count(*), sum(a) FROM many", &["3|6"]).await?;
    same(&bound(c, "SELECT s FROM numbers WHERE n = ?", Arc::new(Int64Array::from(vec![4, 2, 9]))).await?, &["4", "2", "9"])
}

pub async fn temporary(c: &mut Session) -> Outcome {
    c.update("CREATE TEMP TABLE notes (id INTEGER, note VARCHAR)", -1).await?;
    c.update("INSERT INTO notes VALUES (1, 'one'), (2, 'two'), (3, 'three')", 3).await?;
    c.update("UPDATE notes SET note = upper(note) WHERE id < 3", 2).await?;
    c.update("DELETE FROM notes WHERE id = 2", 1).await?;
    c.query("SELECT id, note FROM notes ORDER BY id", &["1|ONE", "3|three"]).await?;
    c.update("DROP TABLE notes", -1).await
}

pub async fn ingest(c: &mut Session) -> Outcome {
    let column: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
    let batch = RecordBatch::try_from_iter([("id", column)])?;
    use TableExistsOption as Exists;
    use TableNotExistOption as Missing;
    let command = |missing: Missing, exists: Exists| CommandStatementIngest {
        table_definition_options: Some(TableDefinitionOptions { if_not_exist: missing as i32, if_exists: exists as i32 }),
        table: "loaded".into(),
        schema: None,
        catalog: None,
        temporary: true,
        transaction_id: None,
        options: Default::default(),
    };
    let refusal = c.client.execute_ingest(command(Missing::Fail, Exists::Append), stream::iter([Ok(batch.clone())])).await;
    refused(refusal.map_err(Into::into), &["loaded"])?;
    for (missing, exists, after) in [
        (Missing::Create, Exists::Fail, "3|6"),
        (Missing::Fail, Exists::Append, "6|12"),
        (Missing::Create, Exists::Append, "9|18"),
        (Missing::Create, Exists::Replace, "3|6"),
    ] {
        if c.client.execute_ingest(command(missing, exists), stream::iter([Ok(batch.clone())])).await? != 3 {
            return Err("3 rows were not counted".into());
        }
        c.query("SELECT count(*), sum(id) FROM loaded", &[after]).await?;
    }
    Ok(())
}

pub async fn transactions(c: &mut Session) -> Outcome {
    c.update("CREATE TEMP TABLE kept (a INTEGER)", -1).await?;
    for (action, after) in [(EndTransaction::Rollback, "0"), (EndTransaction::Commit, "1")] {
        let id = c.client.begin_transaction().await?;
        c.client.execute_update("INSERT INTO kept VALUES (1)".into(), Some(id.clone())).await?;
        let info = c.client.execute("SELECT count(*) FROM kept".into(), Some(id.clone())).await?;
        same(&c.texts(info).await?, &["1"])?;
        c.client.end_transaction(id, action).await?;
        c.query("SELECT count(*) FROM kept", &[after]).await?;
    }
    Ok(())
}

pub async fn catalogs(c: &mut Session) -> Outcome {
    let info = c.client.get_catalogs().await?;
    same(&c.texts(info).await?, &["arbalest"])?;
    let request = CommandGetDbSchemas { catalog: Some("arbalest".into()), db_schema_filter_pattern: Some("m%".into()) };
    let info = c.client.get_db_schemas(request).await?;
    same(&c.texts(info).await?, &["arbalest|main"])?;
    let request = CommandGetTables { table_name_filter_pattern: Some("n%".into()), ..Default::default() };
    let info = c.client.get_tables(request).await?;
    same(&c.texts(info).await?, &["arbalest|main|nation|TABLE", "arbalest|main|numbers|TABLE"])?;
    let info = c.client.get_table_types().await?;
    same(&c.texts(info).await?, &["LOCAL TEMPORARY", "SYSTEM TABLE", "TABLE"])
}

pub async fn table_schema(c: &mut Session) -> Outcome {
    let request = CommandGetTables { table_name_filter_pattern: Some("numbers".into()), include_schema: true, ..Default::default() };
    let info = c.client.get_tables(request).await?;
    let batches = c.batches(info).await?;
    let column = batches[0].column(4).as_any().downcast_ref::<arrow_array::BinaryArray>().ok_or("no schema")?;
    let schema = arrow_flight::IpcMessage(column.value(0).to_vec().into());
    let schema = arrow_schema::Schema::try_from(schema)?;
    let names: Vec<_> = schema.fields().iter().map(|f| format!("{} {}", f.name(), f.data_type())).collect();
    same(&names, &["n Int64", "x Float64", "s Utf8"])
}

pub async fn keys(c: &mut Session) -> Outcome {
    let table = || "numbers".to_string();
    let infos = [
        c.client.get_primary_keys(CommandGetPrimaryKeys { catalog: None, db_schema: None, table: table() }).await?,
        c.client.get_exported_keys(CommandGetExportedKeys { catalog: None, db_schema: None, table: table() }).await?,
        c.client.get_imported_keys(CommandGetImportedKeys { catalog: None, db_schema: None, table: table() }).await?,
        c.client.get_cross_reference(CommandGetCrossReference { pk_table: table(), fk_table: "nation".into(), ..Default::default() }).await?,
    ];
    for info in infos {
        same(&c.texts(info).await?, &[])?;
    }
    Ok(())
}

pub async fn type_info(c: &mut Session) -> Outcome {
    let info = c.client.get_xdbc_type_info(CommandGetXdbcTypeInfo { data_type: Some(-5) }).await?;
    let batches = c.batches(info).await?;
    same(&[array_value_to_string(batches[0].column(0), 0)?], &["BIGINT"])
}

pub async fn server_info(c: &mut Session) -> Outcome {
    let info = c.client.get_sql_info(vec![SqlInfo::FlightSqlServerName]).await?;
    let batches = c.batches(info).await?;
    if !array_value_to_string(batches[0].column(1), 0)?.contains("Arbalest") {
        return Err("the server's name is another".into());
    }
    Ok(())
}

pub async fn streaming(c: &mut Session) -> Outcome {
    let info = c.client.execute(c.setting.text("/endless"), None).await?;
    let ticket = info.endpoint[0].ticket.clone().ok_or("no ticket")?;
    let first = c.client.do_get(ticket).await?.try_next().await?.ok_or("no rows")?;
    if first.num_rows() == 0 {
        return Err("no rows in the first batch".into());
    }
    cancel_info(c, info).await.map(drop)
}

async fn cancel_info(c: &mut Session, info: arrow_flight::FlightInfo) -> Outcome<Vec<u8>> {
    c.action("CancelFlightInfo", CancelFlightInfoRequest::new(info).encode_to_vec()).await
}

pub async fn endpoints(c: &mut Session) -> Outcome {
    c.rows("SET arbalest.distributed = 'always'").await?;
    let rows = c.setting.number("/rows");
    c.whole("SELECT n, x, s FROM numbers", rows, 2).await
}

pub async fn large(c: &mut Session) -> Outcome {
    c.rows("SET arbalest.distributed = 'always'").await?;
    let rows = c.setting.number("/large_rows");
    c.whole("SELECT n, x, s FROM large", rows, 2).await
}

/// Every endpoint is read by a session over a connection of its own.
pub async fn partitions(c: &mut Session) -> Outcome {
    c.rows("SET arbalest.distributed = 'always'").await?;
    let info = c.client.execute("SELECT n, s FROM numbers".into(), None).await?;
    let mut other = c.setting.session().await?;
    other.whole_info(info, c.setting.number("/rows")).await
}

/// The Flight SQL client has no call for it, the Flight client inside has.
pub async fn poll(c: &mut Session) -> Outcome {
    c.rows("SET arbalest.distributed = 'always'").await?;
    let command = CommandStatementQuery { query: c.setting.text("/slow"), transaction_id: None };
    let mut next = Some(FlightDescriptor::new_cmd(command.as_any().encode_to_vec()));
    let (mut seen, mut last) = (vec![], None);
    while let Some(descriptor) = next {
        let request = c.request(descriptor)?;
        let reply = c.client.inner_mut().poll_flight_info(request).await?.into_inner();
        seen.push(reply.progress.unwrap_or(-1.0));
        (next, last) = (reply.flight_descriptor, reply.info);
    }
    if seen.len() < 2 || !seen.is_sorted() || seen.last() != Some(&1.0) {
        return Err(format!("the progress was {seen:?}").into());
    }
    let rows = c.texts(last.ok_or("no info")?).await?;
    if rows.len() != 2 { Err(format!("{rows:?}").into()) } else { Ok(()) }
}

pub async fn cancel(c: &mut Session) -> Outcome {
    let info = c.client.execute(c.setting.computing(), None).await?;
    let mut reader = Session { client: c.client.clone(), setting: c.setting.clone() };
    let reading = {
        let info = info.clone();
        tokio::spawn(async move { reader.texts(info).await })
    };
    tokio::time::sleep(Duration::from_millis(300)).await;
    cancel_info(c, info).await?;
    refused(reading.await?, &["Cancelled", "cancel"])?;
    c.query("SELECT 1", &["1"]).await
}

pub async fn timeout(c: &mut Session) -> Outcome {
    let info = c.client.execute(c.setting.computing(), None).await?;
    let ticket = info.endpoint[0].ticket.clone().ok_or("no ticket")?;
    let mut request = tonic::Request::<Ticket>::new(ticket);
    request.set_timeout(Duration::from_secs(1));
    let read = async { Ok(c.client.do_get(request).await?.try_collect::<Vec<_>>().await?) };
    // The server has the deadline too; when its clock is the first, it resets the stream, which tonic tells as cancelled.
    refused(read.await, &["DeadlineExceeded", "deadline", "Timeout", "Reset(StreamId"])
}

pub async fn renew(c: &mut Session) -> Outcome {
    c.rows("SET arbalest.results = 'spool'").await?;
    let info = c.client.execute("SELECT n, s FROM numbers".into(), None).await?;
    let first = info.endpoint[0].clone();
    let reply = c.action("RenewFlightEndpoint", RenewFlightEndpointRequest::new(first.clone()).encode_to_vec()).await?;
    let renewed = FlightEndpoint::decode(&*reply)?;
    let time = |e: &FlightEndpoint| e.expiration_time.map(|t| (t.seconds, t.nanos));
    if time(&renewed) <= time(&first) {
        return Err(format!("{:?} is not after {:?}", time(&renewed), time(&first)).into());
    }
    for _ in 0..2 {
        c.whole_info(info.clone(), c.setting.number("/rows")).await?;
    }
    cancel_info(c, info).await.map(drop)
}

pub async fn workers(s: Setting) -> Outcome {
    let mut c = s.login(&s.text("/secure/user"), &s.text("/secure/password")).await?;
    c.rows("SET arbalest.distributed = 'always'").await?;
    c.whole("SELECT n, s FROM spread", s.number("/spread_rows"), s.number("/secure/workers") as usize).await?;
    c.leave().await
}

pub async fn connections(s: Setting) -> Outcome {
    let all = (0..s.number("/connections")).map(|i| {
        let s = s.clone();
        tokio::spawn(async move {
            let mut c = s.session().await?;
            c.update(&format!("CREATE TEMP TABLE own AS SELECT {i} AS i"), -1).await?;
            same(&bound(&mut c, "SELECT count(*) FROM numbers WHERE n < ?", Arc::new(Int64Array::from(vec![10]))).await?, &["10"])?;
            c.query("SELECT i FROM own", &[&i.to_string()]).await?;
            c.leave().await
        })
    });
    for one in all.collect::<Vec<_>>() {
        one.await??;
    }
    Ok(())
}

pub async fn plain(c: &mut Session) -> Outcome {
    let request = c.request(Criteria { expression: "nation".into() })?;
    let listed = c.client.inner_mut().list_flights(request).await?.into_inner().try_collect::<Vec<_>>().await?;
    let request = c.request(listed[0].flight_descriptor.clone().ok_or("no descriptor")?)?;
    let info = c.client.inner_mut().get_flight_info(request).await?.into_inner();
    if c.texts(info).await?.len() != 25 {
        return Err("the path has other rows".into());
    }
    let request = c.request(stream::iter([arrow_flight::FlightData::default()]))?;
    let client = c.client.inner_mut();
    let exchange = async { Ok(client.do_exchange(request).await?.into_inner().try_collect::<Vec<_>>().await?) };
    refused(exchange.await, &["DoGet"])
}
