#include <array>
#include <boost/json/array.hpp>
#include <string_view>

#include "cells.h"
#include "report.h"

namespace steerctl {
namespace json = boost::json;
namespace {

std::string addresses_text(const json::object& all) {
    std::string out;
    for (const json::value& url : array_of(all, "urls"))
        out += cell_text(url) + "\n";
    return out.empty() ? "the box has no address yet\n" : out;
}

std::string certificate_text(const json::object& all) {
    const json::value* const hash = find(all, "fingerprint");
    if (hash == nullptr) return "";
    std::string out = "\n";
    if (is_true(all, "own_certificate")) {
        out +=
            "The box made its certificate itself, so your browser warns that it is not trusted.\n"
            "Go on only if the browser shows the same SHA-256 fingerprint:\n";
    } else {
        out += "SHA-256 fingerprint of the certificate:\n";
    }
    return out + "  " + cell_text(*hash) + "\n";
}

}  // namespace

std::string page_text(const json::value& answer) {
    const json::object& all = object_of(answer);
    std::string out = addresses_text(all);
    const json::array& urls = array_of(all, "urls");
    if (const json::value* const link = find(all, "link"); link != nullptr && !urls.empty()) {
        out += "\nThis link signs you in, once, within " +
               duration_text(number_of(find(all, "valid_s")).value_or(0)) + ":\n  " +
               cell_text(urls.front()) + cell_text(*link) + "\n";
    }
    if (text_of(all, "password") == "none")
        out += "\nNo password is set yet: set one on the page, or by `steerctl page password`.\n";
    return out + certificate_text(all);
}

std::string page_sessions_text(const json::value& answer) {
    const json::object& all = object_of(answer);
    constexpr std::array<std::string_view, 5> kSession{"session", "from", "by", "began_s_ago",
                                                       "used_s_ago"};
    json::array rows = array_of(all, "sessions");
    for (json::value& row : rows) {
        for (const std::string_view key : {"began_s_ago", "used_s_ago"}) {
            if (const auto seconds = number_of(find(row.get_object(), key)))
                row.get_object()[key] = duration_text(*seconds) + " ago";
        }
    }
    const std::string out = rows_text(rows, kSession, {"session", "from", "by", "began", "used"});
    return out.empty() ? "no one is signed in\n" : out;
}

std::string page_password_text(const json::value&) {
    return "the password is set; other sessions have ended\n";
}

std::string page_logout_text(const json::value& answer) {
    return "sessions that were ended: " + text_of(object_of(answer), "ended") + "\n";
}

}  // namespace steerctl
