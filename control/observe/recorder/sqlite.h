// SQLite's handles as objects. An error keeps SQLite's code and text; nothing throws.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace steer::recorder {

class Statement {
  public:
    Statement() = default;
    explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
    Statement(Statement&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
    Statement& operator=(Statement&& other) noexcept {
        std::swap(statement_, other.statement_);
        return *this;
    }
    ~Statement() { sqlite3_finalize(statement_); }

    explicit operator bool() const { return statement_ != nullptr; }
    // Parameters are numbered from 1. A text must outlive the next step.
    void bind(int at, std::int64_t value) { sqlite3_bind_int64(statement_, at, value); }
    void bind(int at, std::string_view text) {
        sqlite3_bind_text(statement_, at, text.data(), static_cast<int>(text.size()),
                          SQLITE_STATIC);
    }
    void bind_null(int at) { sqlite3_bind_null(statement_, at); }
    int step() { return sqlite3_step(statement_); }
    // Runs the statement to its end, and prepares it for the next run. SQLITE_DONE: success.
    int run() {
        int code = SQLITE_ROW;
        while (code == SQLITE_ROW)
            code = sqlite3_step(statement_);
        sqlite3_reset(statement_);
        return code;
    }
    void reset() { sqlite3_reset(statement_); }
    // Columns are numbered from 0.
    [[nodiscard]] std::int64_t number(int at) const { return sqlite3_column_int64(statement_, at); }
    [[nodiscard]] std::string_view text(int at) const {
        const auto* const text = sqlite3_column_text(statement_, at);
        return text == nullptr
                   ? std::string_view{}
                   : std::string_view(
                         reinterpret_cast<const char*>(text),
                         static_cast<std::size_t>(sqlite3_column_bytes(statement_, at)));
    }
    [[nodiscard]] bool is_null(int at) const {
        return sqlite3_column_type(statement_, at) == SQLITE_NULL;
    }

  private:
    sqlite3_stmt* statement_ = nullptr;
};

class Connection {
  public:
    Connection() = default;
    Connection(Connection&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
    Connection& operator=(Connection&& other) noexcept {
        std::swap(db_, other.db_);
        return *this;
    }
    ~Connection() { close(); }

    // Flags: SQLITE_OPEN_... . Returns SQLite's code.
    int open(const std::string& path, int flags) {
        close();
        return sqlite3_open_v2(path.c_str(), &db_, flags | SQLITE_OPEN_NOMUTEX, nullptr);
    }
    void close() { sqlite3_close_v2(std::exchange(db_, nullptr)); }
    [[nodiscard]] sqlite3* get() const { return db_; }
    [[nodiscard]] bool is_open() const { return db_ != nullptr; }
    int run(const std::string& sql) {
        return sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
    }
    // An empty statement: error() has the reason.
    [[nodiscard]] Statement prepare(std::string_view sql) const {
        sqlite3_stmt* statement = nullptr;
        sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                           &statement, nullptr);
        return Statement(statement);
    }
    // The first column of the first row; `otherwise` if there is none.
    [[nodiscard]] std::int64_t number(std::string_view sql, std::int64_t otherwise) const {
        Statement statement = prepare(sql);
        return statement && statement.step() == SQLITE_ROW ? statement.number(0) : otherwise;
    }
    [[nodiscard]] std::string error() const {
        return db_ == nullptr ? "not open" : sqlite3_errmsg(db_);
    }

  private:
    sqlite3* db_ = nullptr;
};

}  // namespace steer::recorder
