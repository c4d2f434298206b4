---@meta
-- Types for editors: every public name of avepoint, with what it takes and returns. Not loaded at run
-- time. `make lint` compares this file with the module's exports and C's tables. `make reference`
-- writes the fields of the options in here from options.lua, and from all this the reference.
-- SPDX-License-Identifier: MIT

---A customer, a plain table. Fields that the service does not document are kept as it sends them.
---@class avepoint.Customer
---@field id string The customer's id, a GUID.
---@field organization string? The customer's organization.
---@field ownerEmail string? The e-mail address of the customer's owner.
---@field jobStatus avepoint.JobStatus|string? The name of the status, whichever form the service sends; an unknown status as text.
---@field jobStatusCode integer? 0 to 6; nil if the status is unknown.
---@field countryOrRegion string? The English name of the country.
---@field managementMode integer? 0 customer, 1 partner, 2 unconfigured.
---@field tenants avepoint.Tenant[] The customer's tenants; maybe an empty list.
---@field [string] any

---@class avepoint.Tenant
---@field id string The tenant's id, a GUID.
---@field name string The tenant's name.

---@alias avepoint.JobStatus
---| "N/A"
---| "Working"
---| "Failed"
---| "Waiting for Configuration"
---| "Multiple Issues Found"
---| "Finished with Exception"
---| "No Backup Update"

---@alias avepoint.ErrorKind
---| "config" # no credentials, unreadable certificate, refused URL
---| "auth" # the token endpoint refuses, or 401 persists with a fresh token
---| "forbidden" # 403
---| "not_found" # 404
---| "throttled" # 429 to the end
---| "server" # 5xx to the end
---| "http" # any other status
---| "network" # name look-up, connection, reset
---| "tls" # certificate or handshake
---| "timeout" # an attempt's time, or the deadline
---| "protocol" # the reply is not what the API promises
---| "limit" # a reply over a limit of size or depth
---| "drift" # the list changed while it was read
---| "closed" # used after close, or ended by the host
---| "memory" # out of memory

---What an operation raises when the world fails; `tostring` returns one line.
---@class avepoint.Error
---@field kind avepoint.ErrorKind What went wrong.
---@field message string What happened and what to do about it.
---@field status integer? The HTTP status.
---@field code integer|string? libcurl's number, or the server's word such as `invalid_client`.
---@field retryable boolean Whether the same call may succeed later.
---@field attempts integer? Attempts made.
---@field retry_after number? Seconds that the server asked to wait.
---@field url string? Without user, password and query.
---@field page integer? The page that could not be had.
---@field position string? Where a new listing can go on: the option `resume`.
---@field request_id string? The server's id of the request.
---@field body string? The first KiB of the reply.
---@field where string? File and line of the caller.

---What `on_event` is told. Events hold no header and no secret.
---@class avepoint.Event
---@field event "request"|"response"|"wait"|"retry"|"token"|"page"|"warning" What happened.
---@field time number Seconds since 1970.
---@field page integer? The number of the page that it is about.
---@field attempt integer? The number of the attempt, from 1.
---@field method string? Of a request or response.
---@field url string? The same; without user, password and query.
---@field status integer? Of a response.
---@field bytes number? Of a response's body, as it came over the wire.
---@field seconds number? That a response took.
---@field wait number? Seconds until the next attempt.
---@field reason string? Of a wait or retry: a kind of error.
---@field lifetime number? Of a token, in seconds.
---@field count integer? Rows of a page.
---@field total integer? The server's count of customers.
---@field reading integer? Of a page: 1, or more if the list is read again.
---@field message string? Of a warning.

---Options of `avepoint.client`. All times are seconds, fractions allowed.
---@class avepoint.ClientOptions
---@field client_id string? The id of the app registration. Environment: `AVEPOINT_CLIENT_ID`.
---@field client_secret (string|fun(): string?, string?)? Its secret, or a function that returns it, called for each new token and once more after `invalid_client`. A secret's file is read as often. Environment: `AVEPOINT_CLIENT_SECRET`, `AVEPOINT_CLIENT_SECRET_FILE`.
---@field certificate string? Path of a PEM, DER or PKCS#12 file. Environment: `AVEPOINT_CERTIFICATE`.
---@field private_key string? Path of a PEM or DER file, if the certificate's does not hold the key. Environment: `AVEPOINT_PRIVATE_KEY`.
---@field certificate_password string? Of the key or the PKCS#12 file. Environment: `AVEPOINT_CERTIFICATE_PASSWORD`.
---@field client_assertion (fun(audience: string): string?, string?)? Returns a signed JWT for this audience, a new one each time.
---@field access_token (string|fun(): string?, number|string|nil)? A token, or a function that returns one and its lifetime in seconds. Environment: `AVEPOINT_ACCESS_TOKEN`.
---@field environment ("commercial"|"usgov"|"aos2"|"fedramp")? Where the tenant lives; an explicit one hides the variables of the two URLs. Default: `commercial`. Environment: `AVEPOINT_ENVIRONMENT`.
---@field base_url string? The URL of the service. Default: the environment's. Environment: `AVEPOINT_BASE_URL`.
---@field token_url string? The URL of the token endpoint. Default: the environment's. Environment: `AVEPOINT_TOKEN_URL`.
---@field scope string? The permissions to ask for, with blanks between. Default: `elements.customers.read.all`. Environment: `AVEPOINT_SCOPE`.
---@field endpoint ("auto"|"get"|"batch")? Which of the service's two lists to read. Default: `auto`.
---@field ca_file string? PEM certificates that are trusted instead of the system's, for an `https` proxy too. The system's are what `curl` trusts (`CURL_CA_BUNDLE`, `SSL_CERT_FILE`, `SSL_CERT_DIR`). Default: the system's. Environment: `AVEPOINT_CA_FILE`.
---@field proxy string? Never used for loopback. Default: the one that `https_proxy` names.
---@field connect_timeout number? For name look-up, connection and TLS. Default: 10.
---@field timeout number? Of an attempt; runs only while the program waits for the client. Default: 30.
---@field deadline number? Of a whole listing; runs on while the loop's body works. Default: none.
---@field max_attempts integer? Attempts of a request. From 1 to 100. Default: 5.
---@field max_retry_wait number? The longest single wait that is accepted. Default: 120.
---@field max_body integer? Most bytes of a reply after decompression. From 1 to 2147483647. Default: 16777216.
---@field concurrency integer? Most pages in flight. From 1 to 64. Default: 4.
---@field driver ("auto"|"blocking"|"uv"|"nvim"|"ngx"|avepoint.Driver)? How the client is waited for. Default: `auto`.
---@field token_store (string|avepoint.TokenStore)? Where processes share a token: the name of an `ngx.shared` dictionary, or an object. Default: none.
---@field on_event (fun(event: avepoint.Event))? Called for each event. `AVEPOINT_LOG` sets a ready-made logger, beside it. Environment: `AVEPOINT_LOG`, `AVEPOINT_LOG_FORMAT`.
---@field user_agent string? Put before the library's own.

---Options of a listing.
---@class avepoint.ListingOptions
---@field page_size integer? Customers a page, asked of the server. The batch endpoint gives at most 100. From 1 to 1000. Default: 100.
---@field first_page integer? The page to start from; what lies before is not expected. From 1 to 1000000000. Default: 1.
---@field resume string? A position, from `listing:position()` or an error.
---@field concurrency integer? Most pages in flight. From 1 to 64. Default: the client's.
---@field deadline number? Of the listing. Default: the client's.
---@field endpoint ("auto"|"get"|"batch")? Which of the service's two lists to read. Default: the client's.
---@field customer_ids string[]? Only these, through the batch endpoint. Default: all.
---@field drift ("repair"|"strict"|"error"|"ignore")? What to do when the list changes while it is read. Default: `repair`.
---@field on_progress (fun(done: integer, total: integer?))? Called once a page; `avepoint.progress()` makes one for a terminal.
---@field raw boolean? Items as the service sends them. Default: false.

---Options of `client:list`.
---@class avepoint.ListOptions
---@field method ("GET"|"POST")? POST only for paths that end in `/batch`: every other POST of this API writes. Default: `GET`.
---@field query table<string, string|number|boolean|table>? Parameters by name; a list sends one several times. Default: none.
---@field body (string|table)? Of a POST: a table, or JSON. Default: an empty object.
---@field items string? The reply's field with the rows. Default: `data`.
---@field metadata string? The reply's field with the counts. Default: `metadata`.
---@field id (string|false)? The field that tells rows apart, text or number; false: there is none, and `drift` is `ignore`. Default: `id`.
---@field page_size integer? Customers a page, asked of the server. The batch endpoint gives at most 100. From 1 to 1000. Default: 100.
---@field first_page integer? The page to start from; what lies before is not expected. From 1 to 1000000000. Default: 1.
---@field resume string? A position, from `listing:position()` or an error.
---@field concurrency integer? Most pages in flight. From 1 to 64. Default: the client's.
---@field deadline number? Of the listing. Default: the client's.
---@field drift ("repair"|"strict"|"error"|"ignore")? What to do when the list changes while it is read. Default: `repair`.
---@field on_progress (fun(done: integer, total: integer?))? Called once a page; `avepoint.progress()` makes one for a terminal.
---@field raw boolean? Items as the service sends them. Default: false.

---Options of `listing:write`.
---@class avepoint.WriteOptions
---@field fields string[]? The fields to write, in this order. Default: all.
---@field header boolean? Of CSV: the first line names the columns. Default: true.
---@field bom boolean? Of CSV: begins with a byte order mark, by which Excel knows UTF-8. Default: false.

---Options of `client:get`.
---@class avepoint.GetOptions
---@field deadline number? In seconds. Default: the client's.

---Options of `listing:show` and `avepoint.show`.
---@class avepoint.ShowOptions
---@field columns string[]? The fields to show, in this order. Default: those of a customer, or all fields of the rows.

---How a client is waited for in a loop of one's own.
---@class avepoint.Driver
---@field wait fun(client: avepoint.Client, seconds: number?) Returns when `client:fd()` is readable, and after `seconds` at the latest.

---Where tokens are kept for several processes.
---@class avepoint.TokenStore
---@field get fun(self: avepoint.TokenStore, key: string): string? Returns the text that was put under this key, or nil.
---@field put fun(self: avepoint.TokenStore, key: string, value: string, seconds: number) Keeps the text; it may be dropped after so many seconds.
---@field lock fun(self: avepoint.TokenStore, key: string, seconds: number): (fun()?), string? Takes a lock that ends by itself after so many seconds. Returns a function that unlocks; nil while another process has the lock; nil and a message if it cannot be taken.

---What a listing has cost so far.
---@class avepoint.Stats
---@field requests integer Attempts sent, those for tokens not included.
---@field retries integer Attempts that were not the first.
---@field pages integer Pages read.
---@field bytes number Bytes received.
---@field seconds number From the first request to the end, or until now.
---@field went_back integer Changes after which the listing went back a page or more.
---@field readings integer 1, or more if the list was read again from its first page.
---@field missing integer Customers that the server counts but does not send.

---Signs in and sends requests; makes listings. May be shared by coroutines and requests.
---@class avepoint.Client
local Client = {}

---Lists customers. Sends nothing before the first one is asked for.
---@param options avepoint.ListingOptions?
---@return avepoint.Listing|fun(): avepoint.Customer? listing
function Client:customers(options) end

---Gets one customer, by the batch endpoint's filter.
---@param id string The customer's id.
---@return avepoint.Customer? customer nil if there is none.
function Client:customer(id) end

---Lists any list of the API that is paged by pageIndex and pageSize.
---@param path string Below `base_url`, percent-encoded; without query.
---@param options avepoint.ListOptions?
---@return avepoint.Listing|fun(): table? listing
function Client:list(path, options) end

---Gets one object of the API.
---@param path string Below `base_url`, percent-encoded; without query.
---@param query table<string, string|number|boolean|table>? Parameters by name; a list sends one several times.
---@param options avepoint.GetOptions?
---@return table? object The decoded reply; nil if the service has none (status 204).
function Client:get(path, query, options) end

---Ends the client and its listings. May be called twice.
function Client:close() end

---For a driver: the descriptor to watch for reading, or nil while there is none.
---@return integer? fd
function Client:fd() end

---For a driver: seconds until `step` has to be called, or nil.
---@return number? seconds
function Client:timeout() end

---For a driver: moves everything on as far as it goes without waiting.
---@return boolean progressed Whether a waiting listing may go on.
function Client:step() end

---A lazy list of customers, read once: all methods share one cursor. Calling it returns the
---next customer, or nil at the end, and raises an `avepoint.Error`.
---@class avepoint.Listing
---@overload fun(): avepoint.Customer?
local Listing = {}

---The next customer, or nil at the end, or nil and an error.
---@return avepoint.Customer? customer
---@return avepoint.Error? err
function Listing:next() end

---Only customers whose fields have these values: a value, a list of values, or a function of the
---value.
---@param fields table<string, any>
---@return avepoint.Listing|fun(): avepoint.Customer? listing
function Listing:where(fields) end

---Only customers for which the function is true.
---@param f fun(customer: avepoint.Customer): any
---@return avepoint.Listing|fun(): avepoint.Customer? listing
function Listing:filter(f) end

---The function's result in place of each customer; nil drops it.
---@param f fun(customer: avepoint.Customer): any
---@return avepoint.Listing|fun(): any listing
function Listing:map(f) end

---The first n at most.
---@param n integer
---@return avepoint.Listing|fun(): avepoint.Customer? listing
function Listing:take(n) end

---All but the first n.
---@param n integer
---@return avepoint.Listing|fun(): avepoint.Customer? listing
function Listing:skip(n) end

---Only customers whose last job failed.
---@return avepoint.Listing|fun(): avepoint.Customer? listing
function Listing:failed() end

---Every status but `N/A` and `Working`; missing and unknown ones included.
---@return avepoint.Listing|fun(): avepoint.Customer? listing
function Listing:needs_attention() end

---Only customers with one of these statuses.
---@param ... avepoint.JobStatus|string
---@return avepoint.Listing|fun(): avepoint.Customer? listing
function Listing:with_status(...) end

---Only customers in one of these countries or regions.
---@param ... string
---@return avepoint.Listing|fun(): avepoint.Customer? listing
function Listing:in_country(...) end

---Only customers that are managed so.
---@param who "partner"|"customer"|"unconfigured"
---@return avepoint.Listing|fun(): avepoint.Customer? listing
function Listing:managed_by(who) end

---Only customers with a tenant of this id or name.
---@param id_or_name string
---@return avepoint.Listing|fun(): avepoint.Customer? listing
function Listing:with_tenant(id_or_name) end

---Only customers with this text, in whatever case, in organization, ownerEmail, ids, status, country
---or tenants' names.
---@param text string
---@return avepoint.Listing|fun(): avepoint.Customer? listing
function Listing:search(text) end

---All that is left, as a list.
---@return avepoint.Customer[] list
function Listing:collect() end

---The next customer, or nil; cancels what is in flight.
---@return avepoint.Customer? customer
function Listing:first() end

---How many are left.
---@return integer n
function Listing:count() end

---Calls a function for each that is left.
---@param f fun(customer: avepoint.Customer)
function Listing:each(f) end

---Lists by the value of a field; those without it are under `false`.
---@param field string
---@return table<any, avepoint.Customer[]> groups
function Listing:group_by(field) end

---Numbers by the value of a field; those without it are under `false`.
---@param field string
---@return table<any, integer> counts
function Listing:count_by(field) end

---Customers by the value of a field; of several with the same value the last. Those without the
---field are left out.
---@param field string
---@return table<any, avepoint.Customer> index
function Listing:index_by(field) end

---Prints what is left as a table for reading. On a terminal it fits, is coloured (unless `NO_COLOR`
---is set) and names below what was left out; elsewhere nothing is cut. Raises if not all could be
---written.
---@param file file*? Or an object with a method `write`. Default `io.stdout`.
---@param options avepoint.ShowOptions?
function Listing:show(file, options) end

---Writes what is left, as the rows come. Raises an error if not all is written: an
---`avepoint.Error` if it is the listing's.
---
---`csv` is RFC 4180 in UTF-8. Its columns are the documented fields and those of the first row; of
---`tenants` the names, and as `tenantIds` the ids. A later field without a column stands in the last
---one, `otherFields`, as JSON; of what `map` returns it is an error: name the fields. A text that a
---spreadsheet would take for a formula (it begins with = + - @, tab or CR) gets an apostrophe.
---`json` is one list, `jsonl` an object a line. What is no UTF-8 becomes U+FFFD.
---
---A path gets its new content at the end: until then, and after an error, the old file is whole.
---What was read before an error counts as given all the same: write a new listing.
---
---A list written in parts, `listing:take(n):write(file, ...)` again and again into an open file,
---needs `fields` for CSV, since each part takes its columns from its own first row; all parts but
---the first get `header = false`, which only `csv` takes.
---@param target string|file* A path, or an open file: any object with a method `write`.
---@param format "csv"|"json"|"jsonl"
---@param options avepoint.WriteOptions?
---@return integer n How many rows were written.
function Listing:write(target, format, options) end

---Iterates page by page. Not on a filtered listing.
---@return fun(): avepoint.Customer[]?, table? pages The customers of a page and its metadata.
function Listing:pages() end

---The server's count of all customers, whatever is filtered; nil if it sends none. Fetches the
---first page if need be.
---@return integer? total
function Listing:total() end

---Where the listing stands, for the option `resume`.
---@return string position
function Listing:position() end

---What it has cost so far.
---@return avepoint.Stats stats
function Listing:stats() end

---Ends the listing. Asking for more afterwards raises `closed`; `stats` and `position` still answer.
function Listing:close() end

---A line of the doctor's report.
---@class avepoint.Finding
---@field status "ok"|"warning"|"error" How it is.
---@field name string What was looked at.
---@field text string What was found, and what to do if it fails.

---The module.
---@class avepoint
---@field _VERSION string The module's name and version.
---@field job_status table<integer|string, string|integer> The code of each status name, and the name of each code.
---@field management_mode table<integer|string, string|integer> The same for management modes.
local avepoint = {}

---Makes a client. Sends nothing.
---@param options avepoint.ClientOptions? Left out: all from the environment.
---@return avepoint.Client client
function avepoint.client(options) end

---Runs a function as a task on the libuv loop: `run` of `avepoint.driver.uv`.
---@param f fun(): ...
---@param on_done fun(err: any, ...)? Called at its end, err nil on success; without it an error is raised on the loop.
---@return avepoint.Task task
function avepoint.async(f, on_done) end

---Lists through a default client, made from the environment when it is first needed.
---@param options avepoint.ListingOptions?
---@return avepoint.Listing|fun(): avepoint.Customer? listing
function avepoint.customers(options) end

---Prints anything for reading: a customer, a list, a listing (read to its end) or an error as a
---table; counts (all values whole numbers) the largest first; any other table as keys and values;
---the rest as `print` does. For terminals see `listing:show`.
---@param value any
---@param file file*? Or an object with a method `write`. Default `io.stdout`.
---@param options avepoint.ShowOptions?
function avepoint.show(value, file, options) end

---Makes a function for the option `on_progress` that draws on one line of a terminal how much of the
---list is done, the rate, the time left, and until when the service makes it wait. The line is
---there while the listing waits, and gone before the loop gets a row. Draws nothing elsewhere, nor in
---Neovim.
---@param file file*? Default `io.stderr`.
---@return fun(done: integer, total: integer?) on_progress
function avepoint.progress(file) end

---Whether a value is an error object of this module.
---@param value any
---@return boolean is_error
function avepoint.is_error(value) end

---Makes a function for the option `on_event` that writes events to stderr, or nginx's error log.
---@param level "warn"|"info"|"debug"
---@param format ("text"|"json")? Default `text`.
---@return fun(event: avepoint.Event) on_event
function avepoint.logger(level, format) end

---Looks at all that signing in and listing need, and prints a line each. Sends requests: for a token,
---and for one customer.
---@param options avepoint.ClientOptions? Left out: all from the environment.
---@param file file*? Default `io.stdout`.
---@return boolean healthy Whether nothing fails.
---@return avepoint.Finding[] findings
function avepoint.doctor(options, file) end

---The driver for libuv loops: `require "avepoint.driver.uv"`.
---@class avepoint.driver.uv
---@field cancelled string What a cancelled task's `on_done` gets.
local uv = {}

---Runs a function in a coroutine on the loop. Calls `on_done(err, ...)` at its end, err nil on
---success; without it an error is raised on the loop.
---@param f fun(): ...
---@param on_done fun(err: any, ...)?
---@return avepoint.Task task
function uv.run(f, on_done) end

---Whether the running coroutine is a task.
---@return boolean in_task
function uv.in_task() end

---@class avepoint.Task
local Task = {}

---Ends the task at its next or present wait.
function Task:cancel() end

return avepoint
