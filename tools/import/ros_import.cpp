#include "tools/import/ros_import.h"

#include <algorithm>

#include "tools/import/words.h"

namespace steer::importing {
namespace {

constexpr std::uint64_t kDayMs = 86'400'000, kMinCacheKib = 64;
constexpr std::uint64_t kMaxCacheKib = std::uint64_t{1} << 30;
constexpr std::size_t kLongestInterface = 15;

class RosWriter {
  public:
    explicit RosWriter(const RosDns& dns)
        : dns_(dns),
          forwarders_(read_forwarders(dns)),
          statics_(read_statics(dns, forwarders_)),
          main_(main_forward(dns)) {
        for (Forward& forward : forwarders_.all)
            limit_queries(dns, forward);
        for (Forward& forward : statics_.forwards)
            limit_queries(dns, forward);
        limit_queries(dns, main_);
    }

    Imported write() {
        head();
        mdns();
        routers();
        sheet_.blank();
        sheet_.open("plugins:");
        sheet_.notes(forwarders_.notes);
        for (const Forward& forward : forwarders_.all)
            write_forward(sheet_, forward);
        for (const Forward& forward : statics_.forwards)
            write_forward(sheet_, forward);
        address_lists();
        sheet_.notes(statics_.notes);
        write_records(sheet_, "records", statics_.records, "$answers");
        const bool has_ads = write_adlist(sheet_, dns_, statics_.allowed);
        cache();
        write_forward(sheet_, main_);
        sequence(has_ads);
        servers();
        return {sheet_.text(), sheet_.noted(), std::nullopt};
    }

  private:
    void head() {
        sheet_.comment("Made by 'steerctl import routeros' from " + dns_.source +
                       (dns_.version.empty() ? "" : ", RouterOS " + dns_.version) +
                       ". Check it with 'steerdnsd --check FILE'. Notes name settings that are "
                       "not imported or that differ.");
        sheet_.notes(dns_.notes);
        sheet_.notes(other_settings(dns_));
        std::vector<const Forward*> all{&main_};
        for (const Forward& forward : forwarders_.all)
            all.push_back(&forward);
        for (const Forward& forward : statics_.forwards)
            all.push_back(&forward);
        sheet_.notes(limits_of_nobody(dns_, all));
    }

    void mdns() {
        const RosSetting* const setting = dns_.find("mdns-repeat-ifaces");
        if (setting == nullptr) return;
        sheet_.blank();
        std::vector<std::string> names;
        for (const std::string& name : split(setting->text, ',')) {
            const bool good =
                name.size() <= kLongestInterface && name.find('/') == name.npos &&
                std::ranges::find(names, name) == names.end() &&
                std::ranges::all_of(name, [](char c) { return c > 0x20 && c < 0x7f; });
            if (good) {
                names.push_back(name);
            } else {
                sheet_.note(
                    setting->place,
                    "mdns-repeat-ifaces: " + in_quotes(name) +
                        " is not imported: it is not an interface name on Linux, or appears twice");
            }
        }
        if (names.size() < 2) {
            sheet_.note(setting->place, "mdns-repeat-ifaces=" + in_quotes(setting->text) +
                                            " is not imported: mDNS needs two or more interfaces");
            return;
        }
        sheet_.note(
            setting->place,
            "mdns-repeat-ifaces has interfaces of the router: write this machine's interfaces "
            "to the same networks");
        sheet_.open("mdns:");
        sheet_.line("repeat_interfaces: " + flow_list(names));
        sheet_.close();
    }

    // The router with the address lists. An export does not have its address.
    void routers() {
        if (statics_.list_tags.empty()) return;
        const bool is_known = !dns_.router_address.empty();
        sheet_.blank();
        sheet_.note("", is_known ? "write a user and a password for the address lists of that "
                                   "router here (steerdnsd --routeros-setup prints commands to "
                                   "create the user)"
                                 : "write the router's address, and a user and a password for "
                                   "its address lists here (steerdnsd --routeros-setup prints "
                                   "commands to create the user)");
        sheet_.open("routers:");
        sheet_.open("router:");
        sheet_.key("address", is_known ? dns_.router_address : "192.168.88.1:8728");
        sheet_.key("username", is_known ? dns_.router_user : "steerdns");
        sheet_.key("password", "change-me");
        sheet_.close();
        sheet_.close();
    }

    void address_lists() {
        if (statics_.list_tags.empty()) return;
        std::string extra;
        std::vector<Note> notes;
        if (const RosSetting* const time = dns_.find("address-list-extra-time")) {
            const auto ms = parse_ros_time(time->text);
            if (ms && *ms <= kDayMs / 2) {
                extra = duration_text(*ms);
            } else {
                extra = "12h";
                notes.push_back({time->place, "address-list-extra-time=" + in_quotes(time->text) +
                                                  " becomes 12h, the maximum"});
            }
        }
        for (const auto& [list, tag] : statics_.list_tags) {
            sheet_.open_plugin(tag, "ros_address_list");
            sheet_.notes(std::exchange(notes, {}));
            sheet_.key("router", "router");
            sheet_.key("address_list4", list);
            sheet_.key("address_list6", list);
            if (!extra.empty()) sheet_.key("extra_time", extra);
            sheet_.comment("as in RouterOS: a row lives for the record's TTL, for any address");
            sheet_.key("max_ttl", "1d");
            sheet_.line(kAllowPrivate);
            sheet_.close_plugin();
        }
    }

    void cache() {
        sheet_.open_plugin("answers", "cache");
        std::uint64_t kib = 2048;
        if (const RosSetting* const size = dns_.find("cache-size")) {
            std::string_view text = size->text;
            if (text.ends_with("KiB")) text.remove_suffix(3);
            const auto number = parse_number(text, std::uint64_t{1} << 32);
            kib = std::clamp(number.value_or(kib), kMinCacheKib, kMaxCacheKib);
            if (!number)
                sheet_.note(size->place, "cache-size=" + in_quotes(size->text) +
                                             " is not a size: RouterOS's default is used");
        }
        sheet_.key("size", std::to_string(kib) + "KiB");
        if (const RosSetting* const ttl = dns_.find("cache-max-ttl")) max_ttl(*ttl);
        sheet_.line("short_circuit: true");
        sheet_.close_plugin();
    }

    void max_ttl(const RosSetting& ttl) {
        constexpr std::uint64_t kWeekMs = 7 * kDayMs;
        const auto ms = parse_ros_time(ttl.text);
        if (ms && *ms == kWeekMs) return;  // RouterOS's default
        if (ms && *ms >= 1000 && *ms < kWeekMs)
            return sheet_.key("cache_max_ttl", duration_text(*ms));
        sheet_.note(ttl.place,
                    "cache-max-ttl=" + in_quotes(ttl.text) +
                        " is not imported: expected 1s..1w; answers are cached for their TTL");
    }

    void sequence(bool has_ads) {
        sheet_.open("- tag: main");
        sheet_.line("type: sequence");
        sheet_.open("args:");
        if (!statics_.records.empty()) sheet_.line("- exec: $records");
        if (has_ads) sheet_.line("- exec: $ads");
        sheet_.line("- exec: $answers");
        sheet_.line("- exec: $forward_main");
        sheet_.close();
        sheet_.close();
    }

    void servers() {
        std::string sessions;
        if (const RosSetting* const most = dns_.find("max-concurrent-tcp-sessions")) {
            const auto number = parse_number(most->text, 1'000'000);
            if (number && *number > 0) {
                if (most->text != "20") sessions = most->text;
            } else {
                sheet_.note(most->place, "max-concurrent-tcp-sessions=" + in_quotes(most->text) +
                                             " is not imported: expected 1..1000000");
            }
        }
        write_servers(sheet_, ":53", "main", 0, sessions);
    }

    const RosDns& dns_;
    Forwarders forwarders_;
    Statics statics_;
    Forward main_;
    Sheet sheet_;
};

}  // namespace

Imported import_routeros(const RosDns& dns) {
    return RosWriter(dns).write();
}

Imported import_routeros(std::string_view text, std::string_view source) {
    Imported out;
    RosDns dns = gather(read_ros_export(text), out.failure);
    if (out.failure) return out;
    dns.source = source;
    return import_routeros(dns);
}

}  // namespace steer::importing
