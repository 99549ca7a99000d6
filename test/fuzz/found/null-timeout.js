// A timeout of null was taken for none: five seconds, where Seattle's table has an argument error.
// Logs: RepyArgumentError RepyArgumentError
const refusal = (promise) =>
  promise.then(
    () => 'none',
    (error) => error.name,
  );
const inRow = await refusal(openconn(getmyip(), 28301, getmyip(), 28302, null));
log(inRow, await refusal(openconn(getmyip(), 28301, { timeout: null })));
exitall();
