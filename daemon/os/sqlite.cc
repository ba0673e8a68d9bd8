#include "os/sqlite.h"

namespace oj {

Sqlite::Sqlite(const std::string& path) {
  sqlite3* db = nullptr;
  const int result = sqlite3_open_v2(
      path.c_str(), &db,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
      nullptr);
  db_.reset(db);
  if (result != SQLITE_OK) Fail();
}

void Sqlite::Fail() const {
  throw SqliteError(db_ ? sqlite3_errmsg(db_.get()) : sqlite3_errstr(SQLITE_NOMEM));
}

void Sqlite::Execute(const std::string& sql) {
  if (sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) Fail();
}

std::int64_t Sqlite::QueryInteger(const std::string& sql) {
  SqliteStatement statement(*this, sql);
  return statement.Step() ? statement.Integer() : 0;
}

SqliteStatement::SqliteStatement(Sqlite& db, std::string_view sql) : db_(&db) {
  sqlite3_stmt* statement = nullptr;
  const int result = sqlite3_prepare_v3(db.get(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  statement_.reset(statement);
  Check(result);
}

void SqliteStatement::Check(int result) {
  if (result != SQLITE_OK) db_->Fail();
}

void SqliteStatement::Reset() {
  sqlite3_reset(statement_.get());  // repeats the last step's error, which was thrown then
  next_parameter_ = 1;
}

void SqliteStatement::Bind(std::string_view text) {
  // A null pointer would bind NULL.
  const char* data = text.data() == nullptr ? "" : text.data();
  Check(sqlite3_bind_text64(statement_.get(), next_parameter_++, data, text.size(), SQLITE_STATIC,
                            SQLITE_UTF8));
}

void SqliteStatement::Bind(std::int64_t number) {
  Check(sqlite3_bind_int64(statement_.get(), next_parameter_++, number));
}

void SqliteStatement::BindNull() { Check(sqlite3_bind_null(statement_.get(), next_parameter_++)); }

bool SqliteStatement::Step() {
  next_column_ = 0;
  const int result = sqlite3_step(statement_.get());
  if (result != SQLITE_ROW && result != SQLITE_DONE) db_->Fail();
  return result == SQLITE_ROW;
}

std::string SqliteStatement::Text() {
  const int column = next_column_++;
  const unsigned char* text = sqlite3_column_text(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  if (text == nullptr) return {};
  return {reinterpret_cast<const char*>(text), static_cast<std::size_t>(size)};
}

std::int64_t SqliteStatement::Integer() {
  return sqlite3_column_int64(statement_.get(), next_column_++);
}

std::optional<std::string> SqliteStatement::OptionalText() {
  if (sqlite3_column_type(statement_.get(), next_column_) != SQLITE_NULL) return Text();
  ++next_column_;
  return std::nullopt;
}

std::optional<std::int64_t> SqliteStatement::OptionalInteger() {
  if (sqlite3_column_type(statement_.get(), next_column_) != SQLITE_NULL) return Integer();
  ++next_column_;
  return std::nullopt;
}

}  // namespace oj
