#include "output.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <utility>

#include "matchers/safe_text.h"
#include "screen.h"

namespace steerctl {
namespace json = boost::json;
namespace {

std::string json_line(const json::value& value) {
    return steer::safe_json(json::serialize(value)) + "\n";
}

// One line without its end: safe, with the colours of its marks.
void print_line(std::string_view line) {
    for (;;) {
        const auto mark = screen().has_colors ? line.find(kMark) : std::string_view::npos;
        std::fputs(steer::safe_text(line.substr(0, mark), std::string::npos).c_str(), stdout);
        if (mark == std::string_view::npos) return;
        line.remove_prefix(mark + 1);
        const unsigned style = line.empty() ? 9U : static_cast<unsigned>(line.front() - '0');
        if (style > static_cast<unsigned>(Style::bad)) continue;
        const std::string_view color = color_of(static_cast<Style>(style));
        std::fwrite(color.data(), 1, color.size(), stdout);
        line.remove_prefix(1);
    }
}

int fail(steer::ErrorCode code, std::string_view sentence, int rpc_code) {
    const steer::ErrorRow& row = row_of(code);
    const std::string safe = steer::safe_text(sentence, steer::kSafeLineBytes);
    if (screen().as_json) {
        json::object error{{"code", row.name}, {"message", safe}, {"exit_status", row.code}};
        if (rpc_code != 0) error["rpc_code"] = rpc_code;
        std::fputs(json_line(json::object{{"error", std::move(error)}}).c_str(), stderr);
    } else if (screen().errors_have_colors) {
        std::fprintf(stderr, "%ssteerctl:%s %s\n", color_of(Style::bad).data(),
                     color_of(Style::plain).data(), safe.c_str());
    } else {
        std::fprintf(stderr, "steerctl: %s\n", safe.c_str());
    }
    return row.code;
}

}  // namespace

void print(std::string_view text) {
    for (std::size_t end = text.find('\n'); !text.empty(); end = text.find('\n')) {
        print_line(text.substr(0, end));
        if (end == std::string_view::npos) return;
        std::fputc('\n', stdout);
        text.remove_prefix(end + 1);
    }
}

int print_data(std::string_view text) {
    const bool is_written =
        std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
    return is_written ? 0 : fail(steer::ErrorCode::output, "standard output cannot be written");
}

void print_json(const json::value& value) {
    std::fputs(json_line(value).c_str(), stdout);
}

void PrintedPages::add(const json::object& page) {
    rest_ = page;
    rest_.erase(list_);
    const auto put = [](const std::string& text) { std::fputs(text.c_str(), stdout); };
    if (!std::exchange(is_begun_, true)) put("{" + json::serialize(json::value(list_)) + ":[");
    const auto* const rows = page.if_contains(list_);
    if (rows == nullptr || !rows->is_array()) return;
    for (const json::value& row : rows->get_array())
        put((std::exchange(has_rows_, true) ? "," : "") + steer::safe_json(json::serialize(row)));
}

void PrintedPages::end() {
    const std::string rest = steer::safe_json(json::serialize(rest_));
    const std::string members = rest.substr(1, rest.size() - 2);
    std::fputs((members.empty() ? "]}\n" : "]," + members + "}\n").c_str(), stdout);
}

int fail(steer::ErrorCode code, std::string_view sentence) {
    return fail(code, sentence, 0);
}
int fail(const Reply& reply) {
    return fail(reply.code, reply.error, reply.rpc_code);
}
int misused(std::string_view sentence) {
    return fail(steer::ErrorCode::usage, sentence, 0);
}

}  // namespace steerctl
