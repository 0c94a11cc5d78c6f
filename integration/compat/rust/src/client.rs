//! A session: FlightSqlServiceClient over one channel, with what every check needs.

use arrow_array::{Array, Int64Array, RecordBatch, StringArray};
use arrow_cast::display::array_value_to_string;
use arrow_flight::error::FlightError;
use arrow_flight::sql::client::FlightSqlServiceClient;
use arrow_flight::{Action, FlightInfo};
use futures::TryStreamExt;
use serde_json::Value;
use std::error::Error;
use std::time::Duration;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

pub type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// What the features are measured against: the JSON that integration/compat describes.
#[derive(Clone)]
pub struct Setting(pub Value);

impl Setting {
    pub fn text(&self, path: &str) -> String {
        self.0.pointer(path).and_then(Value::as_str).unwrap_or_default().to_string()
    }

    pub fn number(&self, path: &str) -> i64 {
        self.0.pointer(path).and_then(Value::as_i64).unwrap_or_default()
    }

    /// A channel to the door without login.
    pub async fn open(&self) -> Outcome<Channel> {
        let address = self.text("/uri").replace("grpc://", "http://");
        Ok(Endpoint::from_shared(address)?.connect().await?)
    }

    /// A channel to the door behind TLS; without a root, none is trusted.
    pub async fn secure(&self, root: bool) -> Outcome<Channel> {
        let mut tls = ClientTlsConfig::new();
        if root {
            tls = tls.ca_certificate(Certificate::from_pem(std::fs::read(self.text("/secure/ca"))?));
        }
        let address = format!("https://{}", self.text("/secure/address"));
        Ok(Endpoint::from_shared(address)?.tls_config(tls)?.connect().await?)
    }

    /// A session at the door without login. Any name will do there; the token that comes back is the session.
    pub async fn session(&self) -> Outcome<Session> {
        let mut client = FlightSqlServiceClient::new(self.open().await?);
        client.handshake("anybody", "").await?;
        Ok(Session { client, setting: self.clone() })
    }

    pub async fn login(&self, user: &str, password: &str) -> Outcome<Session> {
        let mut client = FlightSqlServiceClient::new(self.secure(true).await?);
        client.handshake(user, password).await?;
        Ok(Session { client, setting: self.clone() })
    }

    /// A statement that gives one row after more work than anybody waits for.
    pub fn computing(&self) -> String {
        format!("SELECT count(*), max(hash(c)) FROM ({})", self.text("/endless"))
    }
}

pub struct Session {
    pub client: FlightSqlServiceClient<Channel>,
    pub setting: Setting,
}

impl Session {
    pub async fn batches(&mut self, info: FlightInfo) -> Outcome<Vec<RecordBatch>> {
        let mut all = vec![];
        for endpoint in info.endpoint {
            let ticket = endpoint.ticket.ok_or("an endpoint has no ticket")?;
            all.extend(self.client.do_get(ticket).await?.try_collect::<Vec<_>>().await?);
        }
        Ok(all)
    }

    /// Reads a result as one text a row.
    pub async fn texts(&mut self, info: FlightInfo) -> Outcome<Vec<String>> {
        let mut all = vec![];
        for batch in self.batches(info).await? {
            for row in 0..batch.num_rows() {
                let cells: Result<Vec<_>, _> = batch.columns().iter().map(|c| array_value_to_string(c, row)).collect();
                all.push(cells?.join("|"));
            }
        }
        Ok(all)
    }

    pub async fn rows(&mut self, sql: &str) -> Outcome<Vec<String>> {
        let info = self.client.execute(sql.to_string(), None).await?;
        self.texts(info).await
    }

    pub async fn query(&mut self, sql: &str, want: &[&str]) -> Outcome {
        let got = self.rows(sql).await?;
        same(&got, want)
    }

    pub async fn update(&mut self, sql: &str, want: i64) -> Outcome {
        let got = self.client.execute_update(sql.to_string(), None).await?;
        if want >= 0 && got != want {
            return Err(format!("{sql}: {got} rows, want {want}").into());
        }
        Ok(())
    }

    /// Reads the columns n … s of a table of numbers whole, in so many endpoints.
    pub async fn whole(&mut self, sql: &str, rows: i64, endpoints: usize) -> Outcome {
        let info = self.client.execute(sql.to_string(), None).await?;
        if info.endpoint.len() != endpoints {
            return Err(format!("{} endpoints, want {endpoints}", info.endpoint.len()).into());
        }
        self.whole_info(info, rows).await
    }

    pub async fn whole_info(&mut self, info: FlightInfo, rows: i64) -> Outcome {
        let (mut count, mut sum) = (0, 0);
        for endpoint in info.endpoint {
            let ticket = endpoint.ticket.ok_or("an endpoint has no ticket")?;
            let mut stream = self.client.do_get(ticket).await?;
            while let Some(batch) = stream.try_next().await? {
                let n = batch.column(0).as_any().downcast_ref::<Int64Array>().ok_or("n is no BIGINT")?;
                let s = batch.column(batch.num_columns() - 1).as_any().downcast_ref::<StringArray>().ok_or("s is no text")?;
                for i in 0..n.len() {
                    sum += n.value(i);
                    if i % 1000 == 0 && s.value(i) != n.value(i).to_string() {
                        return Err(format!("row {} has the text {}", n.value(i), s.value(i)).into());
                    }
                }
                count += n.len() as i64;
            }
        }
        if count != rows || sum != rows * (rows - 1) / 2 {
            return Err(format!("{count} rows of sum {sum}, want {rows}").into());
        }
        Ok(())
    }

    /// One of Flight's own actions; gives the bytes of its result.
    pub async fn action(&mut self, name: &str, body: Vec<u8>) -> Outcome<Vec<u8>> {
        let mut replies = self.client.do_action(Action { r#type: name.to_string(), body: body.into() }).await?;
        let mut all = vec![];
        while let Some(reply) = replies.message().await? {
            all.extend_from_slice(&reply.body);
        }
        Ok(all)
    }

    /// Closes the session, by its action as the client has no call for it.
    pub async fn leave(mut self) -> Outcome {
        self.action("CloseSession", vec![]).await.map(drop)
    }

    /// A request with the session's token, for calls that only the inner client has.
    pub fn request<M>(&self, message: M) -> Outcome<tonic::Request<M>> {
        let mut request = tonic::Request::new(message);
        if let Some(token) = self.client.token() {
            request.metadata_mut().insert("authorization", format!("Bearer {token}").parse()?);
        }
        request.set_timeout(Duration::from_secs(300));
        Ok(request)
    }
}

pub fn same(got: &[String], want: &[&str]) -> Outcome {
    if got != want {
        return Err(format!("got {got:?}, want {want:?}").into());
    }
    Ok(())
}

/// Fails unless a call was refused with one of these words in its error.
pub fn refused<T>(result: Outcome<T>, words: &[&str]) -> Outcome {
    let Err(fault) = result else {
        return Err(format!("was not refused, want {words:?}").into());
    };
    let mut text = format!("{fault} {fault:?}");
    if let Some(FlightError::Tonic(status)) = fault.downcast_ref::<FlightError>() {
        text += &format!("{:?}", status.code());
    }
    if !words.iter().any(|w| text.contains(w)) {
        return Err(format!("refused otherwise than by {words:?}: {text}").into());
    }
    Ok(())
}
