#include "control/sources/rules/rule_origins.h"

#include <unistd.h>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "control/host/process/new_file.h"
#include "control/host/process/regular_file.h"

namespace steer::rules {
namespace json = boost::json;

namespace {

constexpr std::size_t kPartBytes = std::size_t{64} << 10;

constexpr std::string_view kForm =
    R"(expected an object as in {"full:www.example": {"origin": "learned", "created_at_ms": )"
    R"(1767225600000}}; restore it, or remove it: then no rule counts as learned)";

Error not_of_the_form(std::string_view what) {
    return Error{std::string(what) + ": " + std::string(kForm)};
}

using VisitOrigin = std::function<void(std::string_view, const RuleOrigin&)>;

// The events of boost::json::basic_parser. Members of entries that it does not know are skipped.
struct OriginsHandler {
    static constexpr std::size_t max_object_size = SIZE_MAX, max_array_size = SIZE_MAX,
                                 max_key_size = SIZE_MAX, max_string_size = SIZE_MAX;
    using Code = boost::system::error_code;
    using View = json::string_view;

    bool on_document_begin(Code&) { return true; }
    bool on_document_end(Code&) { return true; }
    bool on_object_begin(Code& ec) {
        if (depth == 1) {
            entry = {};
            has_origin = has_time = false;
        }
        return begin(true, ec);
    }
    bool on_object_end(std::size_t, Code& ec) {
        if (--depth != 1) return true;
        if (!has_origin || !has_time) return refuse(ec);
        visit(rule, entry);
        return true;
    }
    bool on_array_begin(Code& ec) { return begin(false, ec); }
    bool on_array_end(std::size_t, Code&) {
        --depth;
        return true;
    }
    bool on_key_part(View part, std::size_t, Code&) { return add(part); }
    bool on_key(View part, std::size_t, Code&) {
        add(part);
        if (depth == 1) rule = text;
        if (depth == 2) member = text;
        text.clear();
        return true;
    }
    bool on_string_part(View part, std::size_t, Code&) { return add(part); }
    bool on_string(View part, std::size_t, Code& ec) {
        add(part);
        const std::string value = std::exchange(text, {});
        if (is_skipped()) return true;
        if (depth != 2 || member != "origin") return refuse(ec);
        has_origin = true;
        entry.is_learned = value == "learned";
        return true;
    }
    bool on_number_part(View, Code&) { return true; }
    bool on_int64(std::int64_t value, View, Code& ec) { return number(value, true, ec); }
    bool on_uint64(std::uint64_t value, View, Code& ec) {
        return number(0, value <= INT64_MAX, ec);  // (one that fits is an int64)
    }
    bool on_double(double value, View, Code& ec) {
        const auto whole = static_cast<std::int64_t>(std::abs(value) < 1e15 ? value : 0);
        return number(whole, static_cast<double>(whole) == value, ec);
    }
    bool on_bool(bool, Code& ec) { return other(ec); }
    bool on_null(Code& ec) { return other(ec); }
    bool on_comment_part(View, Code&) { return true; }
    bool on_comment(View, Code&) { return true; }

    bool add(View part) {
        text.append(part.data(), part.size());
        return true;
    }
    bool number(std::int64_t value, bool fits, Code& ec) {
        if (is_skipped()) return true;
        if (depth != 2 || member != "created_at_ms" || !fits) return refuse(ec);
        has_time = true;
        entry.since_ms = value;
        return true;
    }
    bool other(Code& ec) { return is_skipped() || refuse(ec); }
    // The file is an object of objects; what other programs add to an entry may be anything.
    bool begin(bool is_object, Code& ec) {
        if (!(is_object && depth < 2) && !is_skipped()) return refuse(ec);
        ++depth;
        return true;
    }
    [[nodiscard]] bool is_skipped() const {
        return depth > 2 || (depth == 2 && member != "origin" && member != "created_at_ms");
    }
    bool refuse(Code& ec) {
        is_other_form = true;
        ec = json::make_error_code(json::error::syntax);
        return false;
    }

    VisitOrigin visit;
    std::string text, rule, member;
    RuleOrigin entry;
    unsigned depth = 0;
    bool has_origin = false, has_time = false, is_other_form = false;
};

class OriginsReader {
  public:
    explicit OriginsReader(VisitOrigin visit)
        : parser_(json::parse_options{}, OriginsHandler{.visit = std::move(visit)}) {}

    void take(std::string_view bytes) {
        if (!error_) parser_.write_some(true, bytes.data(), bytes.size(), error_);
    }
    Result<void> end() {
        if (!error_) parser_.write_some(false, nullptr, 0, error_);
        const OriginsHandler& handler = parser_.handler();
        if (!error_) return {};
        if (!handler.is_other_form)
            return not_of_the_form("it is not JSON (" + error_.message() + ")");
        return not_of_the_form(handler.rule.empty()
                                   ? "it is not an object"
                                   : "the entry of '" + handler.rule + "' is incomplete");
    }

  private:
    json::basic_parser<OriginsHandler> parser_;
    boost::system::error_code error_;
};

}  // namespace

Result<RuleOrigins> parse_rule_origins(std::string_view text) {
    RuleOrigins out;
    OriginsReader reader([&out](std::string_view rule, const RuleOrigin& origin) {
        out.emplace(std::string(rule), origin);
    });
    reader.take(text);
    if (auto end = reader.end(); !end) return end.error();
    return {boost::system::in_place_value, std::move(out)};
}

std::string rule_origins_text(const RuleOrigins& origins) {
    std::string out = "{";
    std::string_view separator = "\n  ";
    for (const auto& [rule, origin] : origins) {
        out.append(separator)
            .append(json::serialize(json::value(rule)))
            .append(R"(: {"origin": ")")
            .append(origin.is_learned ? "learned" : "manual")
            .append(R"(", "created_at_ms": )")
            .append(std::to_string(origin.since_ms))
            .append("}");
        separator = ",\n  ";
    }
    return out + "\n}\n";
}

Result<void> visit_rule_origins(const std::string& file, const VisitOrigin& visit) {
    if (file.empty()) return {};
    const Descriptor fd = open_regular(file);
    if (fd.get() < 0) {
        if (errno == ENOENT) return {};
        return Error{file + " cannot be read: " + why_not_open(errno)};
    }
    OriginsReader reader(visit);
    std::vector<char> part(kPartBytes);
    for (;;) {
        const ssize_t got = ::read(fd.get(), part.data(), part.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return Error{file + " cannot be read: " + std::strerror(errno)};
        if (got == 0) break;
        reader.take({part.data(), static_cast<std::size_t>(got)});
    }
    if (auto read = reader.end(); !read) return Error{file + ": " + read.error().text};
    return {};
}

Result<RuleOrigins> read_rule_origins(const std::string& file) {
    RuleOrigins out;
    const auto read =
        visit_rule_origins(file, [&out](std::string_view rule, const RuleOrigin& origin) {
            out.emplace(std::string(rule), origin);
        });
    if (!read) return read.error();
    return {boost::system::in_place_value, std::move(out)};
}

Result<void> write_rule_origins(const std::string& file, const RuleOrigins& origins) {
    make_folder_of(file);
    NewFile draft(file);
    draft.write(rule_origins_text(origins));
    if (!draft.replace(NewFile::kForAll)) return draft.failure();
    return {};
}

}  // namespace steer::rules
