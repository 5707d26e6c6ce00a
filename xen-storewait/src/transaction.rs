//! Several requests as one change (`docs/misc/xenstore.txt`, Transactions).

use crate::fault::Fault;
use crate::wire::{Kind, decimal};
use crate::{Calls, Error, Refusal};

impl Calls<'_> {
    /// Does `work` in one transaction, again and again until it is committed
    /// without another one in between, or the deadline is there. If `work`
    /// fails, nothing of it happens.
    ///
    /// # Errors
    /// As of all [`Calls`], and what `work` returns.
    pub fn transaction<T>(
        &mut self,
        mut work: impl FnMut(&mut Calls<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        loop {
            let mut inside = self.start_transaction()?;
            let done = match work(&mut inside) {
                Ok(done) => inside.end_transaction(b"T\0").map(|()| done),
                Err(error) => {
                    // The first error tells more; a dropped connection ends
                    // the transaction as well.
                    let _ = inside.end_transaction(b"F\0");
                    Err(error)
                }
            };
            match done {
                Err(Error::Refused {
                    refusal: Refusal::Again,
                    ..
                }) if !self.deadline.passed() => {}
                done => return done,
            }
        }
    }

    fn start_transaction(&mut self) -> Result<Calls<'_>, Error> {
        let doing = || "start a transaction".to_owned();
        let payload = self.call(Kind::TRANSACTION_START, doing, b"\0".to_vec())?;
        let text = payload.strip_suffix(b"\0").unwrap_or(&payload);
        let Some(transaction) = decimal(text).filter(|number| *number != 0) else {
            let what = format!("transaction {}", payload.escape_ascii());
            return Err(self.error(doing, Fault::Wrong(what)));
        };
        Ok(Calls {
            store: &mut *self.store,
            transaction,
            deadline: self.deadline,
        })
    }

    fn end_transaction(&mut self, how: &[u8]) -> Result<(), Error> {
        let doing = || "end a transaction".to_owned();
        let reply = self.call(Kind::TRANSACTION_END, doing, how.to_vec());
        self.transaction = 0;
        reply.map(drop)
    }
}
