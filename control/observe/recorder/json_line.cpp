#include "control/observe/recorder/json_line.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <charconv>
#include <cstdio>
#include <ctime>

#include "control/api/log/mnemonics.h"

namespace steer::recorder {
namespace {

constexpr std::size_t kMostTypes = 1024;  // of those that are kept

void put_number(std::uint64_t number, std::string& out) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    out.append(digits, static_cast<std::size_t>(end - digits));
}

// Texts are printable ASCII, or words of the configuration.
void put_text(std::string_view text, std::string& out) {
    out += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20) {
            char escaped[8];
            (void)std::snprintf(escaped, sizeof escaped, "\\u%04x", byte);
            out += escaped;
            continue;
        }
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    out += '"';
}

void put_field(std::string_view key, std::uint64_t number, std::string& out) {
    out += ",\"";
    out += key;
    out += "\":";
    put_number(number, out);
}

void put_field(std::string_view key, std::string_view word, std::string& out) {
    out += ",\"";
    out += key;
    out += "\":";
    put_text(word, out);
}

std::string second_of(std::int64_t second) {
    const auto at = static_cast<std::time_t>(second);
    std::tm utc{};
    (void)::gmtime_r(&at, &utc);
    char text[40];
    const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    return {text, length};
}

void put_micros(std::int64_t time_us, std::string& out) {
    char text[16];
    (void)std::snprintf(text, sizeof text, ".%06dZ", static_cast<int>(time_us % kMicroseconds));
    out += text;
}

}  // namespace

std::string time_text(std::int64_t time_us) {
    std::string out = second_of(time_us / kMicroseconds);
    put_micros(time_us, out);
    return out;
}

void JsonLine::put_time(std::int64_t time_us, std::string& out) {
    const std::int64_t second = time_us / kMicroseconds;
    if (second != second_) {
        second_ = second;
        second_text_ = second_of(second);
    }
    out += second_text_;
    char text[8] = {'.', '0', '0', '0', '0', '0', '0', 'Z'};
    auto micros = static_cast<unsigned>(time_us % kMicroseconds);
    for (int i = 6; i > 0; --i, micros /= 10)
        text[i] = static_cast<char>('0' + micros % 10);
    out.append(text, sizeof text);
}

std::string_view JsonLine::type_of(std::uint16_t type) {
    const auto known = types_.find(type);
    if (known != types_.end()) return known->second;
    if (types_.size() >= kMostTypes) types_.clear();
    return types_.emplace(type, ops::type_name(type)).first->second;
}

void JsonLine::append(const RecordedQuery& query, std::string& out) {
    const auto put = [&](std::string_view key, std::uint64_t number) {
        put_field(key, number, out);
    };
    const auto put_word = [&](std::string_view key, std::string_view word) {
        put_field(key, word, out);
    };
    out += "{\"time\":\"";
    put_time(query.time_us, out);
    out += '"';
    put_word("client", query.client_text);
    put("client_port", query.client_port);
    if (query.server != IpAddress{}) put_word("server", query.server.to_string());
    put_word("transport", row_of(query.transport).label);
    if (!query.name.empty()) {
        put_word("name", query.name);
        put_word("type", type_of(query.qtype));
        if (query.qclass != 1) put_word("class", ops::class_name(query.qclass));
    }
    put_word("end", query.end);
    put_word("path", kPaths[static_cast<std::size_t>(query.path)]);
    if (!query.decision.empty()) put_word("decision", query.decision);
    if (!query.plugin.empty()) put_word("plugin", query.plugin);
    if (!query.list.empty()) put_word("list", query.list);
    if (query.line != 0) {
        put("line", query.line);
        put_word("list_rule", query.list_rule);
    }
    if (!query.rule.empty()) put_word("rule", query.rule);
    if (query.rcode == 0) {
        put_word("rcode", "NOERROR");
    } else if (query.rcode != kNoRcode) {
        put_word("rcode", ops::rcode_name(query.rcode));
    }
    if (query.ede != kNoError) put("ede", query.ede);
    if (!query.answers.empty()) put_word("answers", query.answers);
    if (!query.upstream.empty()) put_word("upstream", query.upstream);
    put_word("entry", query.entry_tag);
    put("duration_us", query.duration_us);
    put("query_size", query.query_size);
    put("response_size", query.response_size);
    put("worker", query.worker);
    put("stands_for", query.stands_for);
    if (query.trace != 0) put_word("trace", trace_text(query.trace));
    out += "}\n";
}

void JsonLine::append_hit(const RecordedQuery& query, std::string& out) {
    out += "{\"time\":\"";
    put_time(query.time_us, out);
    out += '"';
    put_field("client", query.client_text, out);
    put_field("name", query.name, out);
    put_field("type", type_of(query.qtype), out);
    put_field("decision", query.decision, out);
    put_field("plugin", query.plugin, out);
    put_field("list", query.list, out);
    if (query.line != 0) {
        put_field("line", std::uint64_t{query.line}, out);
        put_field("rule", query.list_rule, out);
    }
    if (query.serial) put_field("serial", std::uint64_t{*query.serial}, out);
    if (!query.sha256.empty()) put_field("sha256", query.sha256, out);
    out += "}\n";
}

void append_gap(std::int64_t time_us, std::uint64_t lines, std::uint64_t queries,
                std::string& out) {
    out += "{\"time\":\"" + time_text(time_us) + '"';
    put_field("lost_lines", lines, out);
    put_field("lost_queries", queries, out);
    out += "}\n";
}

boost::json::object json_of(const RecordedQuery& query) {
    JsonLine line;
    std::string text;
    line.append(query, text);
    boost::system::error_code error;
    auto parsed = boost::json::parse(text, error);
    return error || !parsed.is_object() ? boost::json::object{} : std::move(parsed.as_object());
}

}  // namespace steer::recorder
