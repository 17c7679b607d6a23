// The other settings of /ip/dns, and /ip/dns/adlist.
#include <algorithm>
#include <array>

#include "tools/import/ros_import.h"
#include "tools/import/words.h"

namespace steer::importing {
namespace {

constexpr std::uint64_t kReplyBytes = 1232;

// Those that another part of the import reads, or that only tell.
constexpr std::array<std::string_view, 21> kCarried{"servers",
                                                    "use-doh-server",
                                                    "verify-doh-cert",
                                                    "doh-timeout",
                                                    "doh-max-concurrent-queries",
                                                    "doh-max-server-connections",
                                                    "query-server-timeout",
                                                    "query-total-timeout",
                                                    "max-concurrent-queries",
                                                    "max-concurrent-tcp-sessions",
                                                    "cache-size",
                                                    "cache-max-ttl",
                                                    "address-list-extra-time",
                                                    "mdns-repeat-ifaces",
                                                    "dynamic-servers",
                                                    "cache-used",
                                                    "allow-remote-requests",
                                                    "max-udp-packet-size",
                                                    "vrf",
                                                    ".id",
                                                    "comment"};

void note_remote(const RosDns& dns, std::vector<Note>& notes) {
    const RosSetting* const remote = dns.find("allow-remote-requests");
    if (!dns.was_set || (remote != nullptr && is_ros_true(remote->text))) return;
    notes.push_back(
        {remote == nullptr ? "" : remote->place,
         "allow-remote-requests=no: the router did not answer clients; steerdnsd answers "
         "clients in 'allow' of 'dataplane' (default: private and local networks)"});
}

void note_packet_size(const RosDns& dns, std::vector<Note>& notes) {
    const RosSetting* const size = dns.find("max-udp-packet-size");
    if (size == nullptr) return;
    const auto bytes = parse_number(size->text, 65'535);
    if (bytes && *bytes == kReplyBytes) return;
    notes.push_back(
        {size->place,
         "max-udp-packet-size=" + size->text + ": " +
             (bytes && *bytes < kReplyBytes
                  ? "the limit is 1232 bytes, or what the client announces"
                  : "UDP answers are limited to 1232 bytes, which avoids fragments (RFC 9715); "
                    "clients fetch larger ones over TCP")});
}

}  // namespace

std::vector<Note> unknown_properties(const RosRow& row,
                                     const std::vector<std::string_view>& known) {
    constexpr std::array<std::string_view, 9> kOfPrint{".id",         "dynamic",    "invalid",
                                                       "match-count", "name-count", ".nextid",
                                                       "disabled",    "comment",    "hits"};
    std::vector<Note> notes;
    for (const auto& [name, text] : row.values) {
        const bool is_known = std::ranges::find(known, name) != known.end() ||
                              std::ranges::find(kOfPrint, name) != kOfPrint.end();
        if (!is_known)
            notes.push_back({row.place, in_quotes(std::string(name).append("=").append(text)) +
                                            " is not imported: this property is not known"});
    }
    return notes;
}

std::vector<Note> other_settings(const RosDns& dns) {
    std::vector<Note> notes;
    note_remote(dns, notes);
    note_packet_size(dns, notes);
    for (const auto& [name, setting] : dns.settings) {
        if (name == "vrf" && setting.text != "main" && !setting.text.empty()) {
            notes.push_back({setting.place, "vrf=" + setting.text +
                                                " is not imported: run steerdnsd in that VRF, or "
                                                "write 'bind_to_device' of the forward"});
        }
        if (std::ranges::find(kCarried, name) == kCarried.end())
            notes.push_back({setting.place, in_quotes(name + "=" + setting.text) +
                                                " is not imported: this property is not known"});
    }
    return notes;
}

namespace {

// The URLs that can be fetched; notes about the rest.
std::vector<const RosRow*> lists_of(const RosDns& dns, std::vector<Note>& notes) {
    std::vector<const RosRow*> out;
    for (const RosRow& row : dns.adlists) {
        const std::string url = row.get("url"), file = row.get("file");
        const auto leave_out = [&](const std::string& why) {
            notes.push_back({row.place, "the ad list " + in_quotes(url.empty() ? file : url) +
                                            " is not imported: " + why});
        };
        // At most one is not empty.
        const std::string host = host_of_url("http", url) + host_of_url("https", url);
        if (row.is_true("disabled")) {
            leave_out("it is disabled");
        } else if (url.empty() && file.empty()) {
            leave_out("it has neither url nor file");
        } else if (url.empty()) {
            leave_out("the file is on the router; copy it here and name it in 'lists'");
        } else if (host.empty()) {
            leave_out("expected http://HOST/PATH or https://HOST/PATH");
        } else {
            out.push_back(&row);
        }
    }
    return out;
}

}  // namespace

bool write_adlist(Sheet& sheet, const RosDns& dns, const std::vector<std::string>& allowed) {
    std::vector<Note> notes;
    const auto lists = lists_of(dns, notes);
    if (lists.empty()) {
        sheet.notes(notes);
        return false;
    }
    sheet.open_plugin("ads", "adlist");
    sheet.notes(notes);
    sheet.open("lists:");
    for (const RosRow* row : lists) {
        sheet.notes(unknown_properties(*row, {"url", "file", "ssl-verify", "disabled", "comment"}));
        const bool is_https = lowered(row->get("url")).starts_with("https://");
        if (is_https && row->find("ssl-verify") != nullptr && !row->is_true("ssl-verify")) {
            sheet.note(row->place,
                       "ssl-verify=no is not imported: the certificates of list servers are always "
                       "verified; write 'ca' of 'fetch' of 'control' for your own CA");
        }
        if (const std::string* const comment = row->find("comment")) sheet.comment(*comment);
        sheet.line("- " + scalar(row->get("url")));
    }
    sheet.close();
    if (!allowed.empty()) {
        sheet.comment("names with a FWD entry: lists do not block them");
        sheet.open("allow:");
        for (const std::string& rule : allowed)
            sheet.line("- " + scalar(rule));
        sheet.close();
    }
    sheet.comment("as RouterOS; true: also names whose answers point to blocked names");
    sheet.line("cname: false");
    sheet.close_plugin();
    return true;
}

}  // namespace steer::importing
