#include "control/observe/recorder/row_batch.h"

#include <algorithm>

#include "matchers/safe_text.h"

namespace steer::recorder {
namespace {

constexpr std::size_t kMostTag = 255;
constexpr std::size_t kMostText = 1024;  // of a list and a rule

}  // namespace

void RowBatch::add(const RecordedQuery& query) {
    const auto upstream = whole_bytes(query.upstream, kMostTag),
               entry = whole_bytes(query.entry_tag, kMostTag),
               plugin = whole_bytes(query.plugin, kMostTag),
               list = whole_bytes(query.list, kMostText), rule = whole_bytes(query.rule, kMostText),
               list_rule = whole_bytes(query.list_rule, kMostText);
    if (query.server != server_) {
        server_ = query.server;
        server_text_ = server_ == IpAddress{} ? std::string{} : server_.to_string();
    }
    const std::string_view server = server_text_;
    rows_.push_back({.time_us = query.time_us,
                     .trace = query.trace,
                     .duration_us = query.duration_us,
                     .stands_for = query.stands_for,
                     .line = query.line,
                     .text = static_cast<std::uint32_t>(text_.size()),
                     .client_port = query.client_port,
                     .qtype = query.qtype,
                     .qclass = query.qclass,
                     .rcode = query.rcode,
                     .ede = query.ede,
                     .query_size = query.query_size,
                     .response_size = query.response_size,
                     .name_size = static_cast<std::uint16_t>(query.name.size()),
                     .answers_size = static_cast<std::uint16_t>(query.answers.size()),
                     .list_size = static_cast<std::uint16_t>(list.size()),
                     .rule_size = static_cast<std::uint16_t>(rule.size()),
                     .list_rule_size = static_cast<std::uint16_t>(list_rule.size()),
                     .client_size = static_cast<std::uint8_t>(query.client_text.size()),
                     .server_size = static_cast<std::uint8_t>(server.size()),
                     .upstream_size = static_cast<std::uint8_t>(upstream.size()),
                     .entry_size = static_cast<std::uint8_t>(entry.size()),
                     .plugin_size = static_cast<std::uint8_t>(plugin.size()),
                     .worker = query.worker,
                     .transport = query.transport,
                     .path = query.path,
                     .end = query.end,
                     .decision = query.decision});
    for (const std::string_view text : {query.client_text, server, query.name, upstream, entry,
                                        plugin, list, rule, list_rule, query.answers})
        text_ += text;
}

RowBatch::Texts RowBatch::texts(const Row& row) const {
    std::string_view left = std::string_view(text_).substr(row.text);
    const auto take = [&left](std::size_t size) {
        const auto text = left.substr(0, size);
        left.remove_prefix(size);
        return text;
    };
    Texts texts;
    texts.client = take(row.client_size);
    texts.server = take(row.server_size);
    texts.name = take(row.name_size);
    texts.upstream = take(row.upstream_size);
    texts.entry = take(row.entry_size);
    texts.plugin = take(row.plugin_size);
    texts.list = take(row.list_size);
    texts.rule = take(row.rule_size);
    texts.list_rule = take(row.list_rule_size);
    texts.answers = take(row.answers_size);
    return texts;
}

}  // namespace steer::recorder
