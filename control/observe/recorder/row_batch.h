// Rows for the database: copies of queries, with all texts in one string.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "control/observe/recorder/recorded_query.h"

namespace steer::recorder {

struct Row {
    std::int64_t time_us;
    std::uint64_t trace;
    std::uint32_t duration_us, stands_for;
    std::uint32_t line;  // of its list; 0: not known
    std::uint32_t text;  // offset of its texts: client, server, name, ...
    std::uint16_t client_port, qtype, qclass, rcode, ede, query_size, response_size;
    std::uint16_t name_size, answers_size, list_size, rule_size, list_rule_size;
    std::uint8_t client_size, server_size, upstream_size, entry_size, plugin_size, worker;
    ClientTransport transport;
    Path path;
    std::string_view end, decision;  // as in RecordedQuery; they live as long as the program
};

class RowBatch {
  public:
    void add(const RecordedQuery& query);
    void clear() {
        rows_.clear();
        text_.clear();
    }
    [[nodiscard]] std::size_t size() const { return rows_.size(); }
    [[nodiscard]] bool empty() const { return rows_.empty(); }
    [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }

    struct Texts {
        std::string_view client, server, name, upstream, entry, plugin, list, rule, list_rule,
            answers;
    };
    [[nodiscard]] Texts texts(const Row& row) const;

  private:
    std::vector<Row> rows_;
    std::string text_;
    IpAddress server_;  // of the row before, and its text
    std::string server_text_;
};

}  // namespace steer::recorder
