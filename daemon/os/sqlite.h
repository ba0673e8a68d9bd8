// SQLite's connection and statements as owners. Errors are exceptions (SqliteError), caught at the
// store's edge.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace oj {

struct SqliteError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Sqlite {
 public:
  explicit Sqlite(const std::string& path);  // opens or creates
  void Execute(const std::string& sql);
  std::int64_t QueryInteger(const std::string& sql);
  [[noreturn]] void Fail() const;
  sqlite3* get() const { return db_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  std::unique_ptr<sqlite3, Close> db_;
};

// A prepared statement; must not outlive its connection. Bound texts must live until it is reset.
class SqliteStatement {
 public:
  SqliteStatement(Sqlite& db, std::string_view sql);

  void Reset();
  // To the next parameter, in order.
  void Bind(std::string_view text);
  void Bind(std::int64_t number);
  void BindNull();
  template <class T>
  void Bind(const std::optional<T>& value) {
    if (value) {
      Bind(*value);
    } else {
      BindNull();
    }
  }
  bool Step();  // true: there is a row
  // From the next column, in order.
  std::string Text();
  std::int64_t Integer();
  std::optional<std::string> OptionalText();
  std::optional<std::int64_t> OptionalInteger();

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  void Check(int result);
  Sqlite* db_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int next_parameter_ = 1;
  int next_column_ = 0;
};

}  // namespace oj
