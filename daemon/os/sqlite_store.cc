#include "os/sqlite_store.h"

#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "os/sqlite.h"

namespace oj {
namespace {

// Step n brings a database from user_version n to n + 1. Steps are only ever appended.
constexpr std::array<const char*, 1> kMigrations = {
    "CREATE TABLE sessions(id TEXT PRIMARY KEY, namespace TEXT NOT NULL, agent_id TEXT,"
    " cwd TEXT NOT NULL, command TEXT NOT NULL, created_at_ms INTEGER NOT NULL,"
    " status TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE workspaces(id TEXT PRIMARY KEY, namespace TEXT NOT NULL, repo TEXT NOT NULL,"
    " path TEXT NOT NULL, branch TEXT, agent_id TEXT, status TEXT NOT NULL,"
    " created_at_ms INTEGER NOT NULL, error TEXT) STRICT, WITHOUT ROWID;"
    "CREATE TABLE agents(id TEXT PRIMARY KEY, name TEXT NOT NULL, namespace TEXT NOT NULL,"
    " session_id TEXT, workspace_id TEXT, command TEXT NOT NULL, status TEXT NOT NULL,"
    " created_at_ms INTEGER NOT NULL, updated_at_ms INTEGER NOT NULL, exit INTEGER)"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE intents(id TEXT PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL,"
    " detail TEXT NOT NULL, created_at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE replies(request_id TEXT PRIMARY KEY, digest TEXT NOT NULL,"
    " reply TEXT NOT NULL, finished_at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;",
};

// An enumerator's name in the database, by its value.
constexpr std::array<std::string_view, 3> kSessionStatus = {"live", "gone", "unknown"};
constexpr std::array<std::string_view, 4> kWorkspaceStatus = {"creating", "ready", "removing",
                                                              "failed"};
constexpr std::array<std::string_view, 5> kAgentStatus = {"starting", "running", "exited", "gone",
                                                          "unknown"};

template <class Enum, std::size_t n>
std::string_view NameOf(const std::array<std::string_view, n>& names, Enum value) {
  return names.at(static_cast<std::size_t>(value));
}

template <class Enum, std::size_t n>
Enum ValueOf(const std::array<std::string_view, n>& names, const std::string& name) {
  for (std::size_t i = 0; i < n; ++i) {
    if (names[i] == name) return static_cast<Enum>(i);
  }
  throw SqliteError("unknown status '" + name + "'");
}

std::string ToJson(const std::vector<std::string>& command) {
  boost::json::array array;
  for (const auto& word : command) array.emplace_back(word);
  return boost::json::serialize(array);
}

std::vector<std::string> FromJson(const std::string& text) {
  boost::json::parse_options options;
  options.allow_invalid_utf8 = true;  // arguments are bytes
  boost::system::error_code error;
  const auto value = boost::json::parse(text, error, {}, options);
  const auto* array = value.if_array();
  if (error || array == nullptr) throw SqliteError("a command that is no JSON array: " + text);
  std::vector<std::string> command;
  for (const auto& word : *array) {
    if (!word.is_string()) throw SqliteError("a command with a word that is no text: " + text);
    command.emplace_back(word.get_string());
  }
  return command;
}

}  // namespace

class SqliteStore::Database {
 public:
  explicit Database(const std::string& file) : file_(file), db_(OpenAndMigrate(file)) {}

  Result<StateSnapshot> Load() {
    try {
      db_.Execute("BEGIN");
      StateSnapshot all{Sessions(), Workspaces(), Agents(), Intents(), Replies()};
      db_.Execute("COMMIT");
      return all;
    } catch (const std::exception& e) {
      RollBack();
      return Unavailable(file_, e.what());
    }
  }

  Status Commit(const std::vector<Change>& changes) {
    if (changes.empty()) return Ok{};
    try {
      db_.Execute("BEGIN IMMEDIATE");
      for (const Change& change : changes) {
        std::visit([this](const auto& it) { Apply(it); }, change);
      }
      db_.Execute("COMMIT");
      return Ok{};
    } catch (const std::exception& e) {
      RollBack();
      return Unavailable(file_, e.what());
    }
  }

  static Error Unavailable(const std::string& file, const char* cause) {
    return {ErrorCode::kUnavailable, "state file '" + file + "': " + cause, ""};
  }

 private:
  static Sqlite OpenAndMigrate(const std::string& file) {
    Sqlite db(file);
    db.Execute("PRAGMA busy_timeout=5000");
    const auto version = db.QueryInteger("PRAGMA user_version");
    const auto newest = static_cast<std::int64_t>(kMigrations.size());
    if (version < 0 || version > newest) {
      throw SqliteError("its schema has version " + std::to_string(version) +
                        ", this daemon knows up to " + std::to_string(newest));
    }
    db.Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
    for (auto step = version; step < newest; ++step) {
      db.Execute("BEGIN IMMEDIATE");
      db.Execute(kMigrations.at(static_cast<std::size_t>(step)));
      db.Execute("PRAGMA user_version=" + std::to_string(step + 1) + "; COMMIT");
    }
    return db;
  }

  void RollBack() noexcept {
    for (auto* put : {&put_session_, &put_workspace_, &put_agent_, &put_intent_, &put_reply_}) {
      put->Reset();
    }
    // Some errors have ended the transaction already.
    if (sqlite3_get_autocommit(db_.get()) == 0) {
      sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    }
  }

  void Apply(const SessionRecord& r) {
    const std::string command = ToJson(r.command);
    auto& put = put_session_;
    put.Bind(r.id);
    put.Bind(r.name_space);
    put.Bind(r.agent_id);
    put.Bind(r.cwd);
    put.Bind(command);
    put.Bind(r.created_at_ms);
    put.Bind(NameOf(kSessionStatus, r.status));
    Put(put);
  }
  void Apply(const WorkspaceRecord& r) {
    auto& put = put_workspace_;
    put.Bind(r.id);
    put.Bind(r.name_space);
    put.Bind(r.repo);
    put.Bind(r.path);
    put.Bind(r.branch);
    put.Bind(r.agent_id);
    put.Bind(NameOf(kWorkspaceStatus, r.status));
    put.Bind(r.created_at_ms);
    put.Bind(r.error);
    Put(put);
  }
  void Apply(const AgentRecord& r) {
    const std::string command = ToJson(r.command);
    auto& put = put_agent_;
    put.Bind(r.id);
    put.Bind(r.name);
    put.Bind(r.name_space);
    put.Bind(r.session_id);
    put.Bind(r.workspace_id);
    put.Bind(command);
    put.Bind(NameOf(kAgentStatus, r.status));
    put.Bind(r.created_at_ms);
    put.Bind(r.updated_at_ms);
    put.Bind(r.exit ? std::optional<std::int64_t>(*r.exit) : std::nullopt);
    Put(put);
  }
  void Apply(const IntentRecord& r) {
    auto& put = put_intent_;
    put.Bind(r.id);
    put.Bind(r.kind);
    put.Bind(r.subject);
    put.Bind(r.detail);
    put.Bind(r.created_at_ms);
    Put(put);
  }
  void Apply(const ReplyRecord& r) {
    auto& put = put_reply_;
    put.Bind(r.request_id);
    put.Bind(r.digest);
    put.Bind(r.reply);
    put.Bind(r.finished_at_ms);
    Put(put);
  }
  void Apply(const Delete& change) {
    constexpr std::array<std::string_view, 5> kDelete = {
        "DELETE FROM sessions WHERE id=?", "DELETE FROM workspaces WHERE id=?",
        "DELETE FROM agents WHERE id=?", "DELETE FROM intents WHERE id=?",
        "DELETE FROM replies WHERE request_id=?"};
    SqliteStatement statement(db_, NameOf(kDelete, change.kind));
    statement.Bind(change.id);
    statement.Step();
  }
  static void Put(SqliteStatement& put) {
    put.Step();
    put.Reset();
  }

  std::vector<SessionRecord> Sessions() {
    SqliteStatement rows(db_,
                         "SELECT id, namespace, agent_id, cwd, command, created_at_ms, status"
                         " FROM sessions ORDER BY id");
    std::vector<SessionRecord> all;
    while (rows.Step()) {
      SessionRecord& r = all.emplace_back();
      r.id = rows.Text();
      r.name_space = rows.Text();
      r.agent_id = rows.OptionalText();
      r.cwd = rows.Text();
      r.command = FromJson(rows.Text());
      r.created_at_ms = rows.Integer();
      r.status = ValueOf<SessionStatus>(kSessionStatus, rows.Text());
    }
    return all;
  }
  std::vector<WorkspaceRecord> Workspaces() {
    SqliteStatement rows(db_,
                         "SELECT id, namespace, repo, path, branch, agent_id, status,"
                         " created_at_ms, error FROM workspaces ORDER BY id");
    std::vector<WorkspaceRecord> all;
    while (rows.Step()) {
      WorkspaceRecord& r = all.emplace_back();
      r.id = rows.Text();
      r.name_space = rows.Text();
      r.repo = rows.Text();
      r.path = rows.Text();
      r.branch = rows.OptionalText();
      r.agent_id = rows.OptionalText();
      r.status = ValueOf<WorkspaceStatus>(kWorkspaceStatus, rows.Text());
      r.created_at_ms = rows.Integer();
      r.error = rows.OptionalText();
    }
    return all;
  }
  std::vector<AgentRecord> Agents() {
    SqliteStatement rows(db_,
                         "SELECT id, name, namespace, session_id, workspace_id, command, status,"
                         " created_at_ms, updated_at_ms, exit FROM agents ORDER BY id");
    std::vector<AgentRecord> all;
    while (rows.Step()) {
      AgentRecord& r = all.emplace_back();
      r.id = rows.Text();
      r.name = rows.Text();
      r.name_space = rows.Text();
      r.session_id = rows.OptionalText();
      r.workspace_id = rows.OptionalText();
      r.command = FromJson(rows.Text());
      r.status = ValueOf<AgentStatus>(kAgentStatus, rows.Text());
      r.created_at_ms = rows.Integer();
      r.updated_at_ms = rows.Integer();
      if (const auto exit = rows.OptionalInteger()) r.exit = static_cast<int>(*exit);
    }
    return all;
  }
  std::vector<IntentRecord> Intents() {
    SqliteStatement rows(
        db_, "SELECT id, kind, subject, detail, created_at_ms FROM intents ORDER BY id");
    std::vector<IntentRecord> all;
    while (rows.Step()) {
      IntentRecord& r = all.emplace_back();
      r.id = rows.Text();
      r.kind = rows.Text();
      r.subject = rows.Text();
      r.detail = rows.Text();
      r.created_at_ms = rows.Integer();
    }
    return all;
  }
  std::vector<ReplyRecord> Replies() {
    SqliteStatement rows(
        db_, "SELECT request_id, digest, reply, finished_at_ms FROM replies ORDER BY request_id");
    std::vector<ReplyRecord> all;
    while (rows.Step()) {
      ReplyRecord& r = all.emplace_back();
      r.request_id = rows.Text();
      r.digest = rows.Text();
      r.reply = rows.Text();
      r.finished_at_ms = rows.Integer();
    }
    return all;
  }

  std::string file_;
  Sqlite db_;
  SqliteStatement put_session_{db_, "INSERT OR REPLACE INTO sessions VALUES(?,?,?,?,?,?,?)"};
  SqliteStatement put_workspace_{db_,
                                 "INSERT OR REPLACE INTO workspaces VALUES(?,?,?,?,?,?,?,?,?)"};
  SqliteStatement put_agent_{db_, "INSERT OR REPLACE INTO agents VALUES(?,?,?,?,?,?,?,?,?,?)"};
  SqliteStatement put_intent_{db_, "INSERT OR REPLACE INTO intents VALUES(?,?,?,?,?)"};
  SqliteStatement put_reply_{db_, "INSERT OR REPLACE INTO replies VALUES(?,?,?,?)"};
};

SqliteStore::SqliteStore(AsioLoop& loop, std::shared_ptr<Database> database)
    : database_(std::move(database)), worker_(loop) {}

SqliteStore::~SqliteStore() = default;

Result<std::unique_ptr<SqliteStore>> SqliteStore::Open(AsioLoop& loop, const std::string& file) {
  try {
    auto database = std::make_shared<Database>(file);
    return std::unique_ptr<SqliteStore>(new SqliteStore(loop, std::move(database)));
  } catch (const std::exception& e) {
    return Database::Unavailable(file, e.what());
  }
}

Task<Result<StateSnapshot>> SqliteStore::Load() {
  std::function<Result<StateSnapshot>()> job = [database = database_] { return database->Load(); };
  auto call = worker_.Call(std::move(job));
  co_return co_await std::move(call);
}

Task<Status> SqliteStore::Commit(std::vector<Change> changes) {
  std::function<Status()> job = [database = database_, changes = std::move(changes)] {
    return database->Commit(changes);
  };
  auto call = worker_.Call(std::move(job));
  co_return co_await std::move(call);
}

}  // namespace oj
