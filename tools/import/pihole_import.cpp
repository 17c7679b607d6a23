#include "tools/import/pihole_import.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "tools/import/adguardhome_words.h"
#include "tools/import/blocker_model.h"
#include "tools/import/filter_rule.h"
#include "tools/import/pihole_groups.h"
#include "tools/import/pihole_toml.h"
#include "tools/import/words.h"

namespace steer::importing {
namespace {

constexpr std::string_view kTables[] = {"adlist.json",          "adlist_by_group.json",
                                        "domainlist.json",      "domainlist_by_group.json",
                                        "client.json",          "client_by_group.json",
                                        "group.json",           "blacklist.exact.json",
                                        "blacklist.regex.json", "whitelist.exact.json",
                                        "whitelist.regex.json"};
constexpr std::string_view kPiholeFiles[] = {"pihole.toml",
                                             "setupVars.conf",
                                             "pihole-FTL.conf",
                                             "custom.list",
                                             "05-pihole-custom-cname.conf",
                                             "adlists.list",
                                             "blacklist.txt",
                                             "whitelist.txt",
                                             "regex.list"};

// What becomes of a setting that no function reads: "" needs nothing, else a note.
struct PiholeKey {
    std::string_view begin;  // the setting, or with a dot or '_' at its end all that begin so
    std::string_view note = {};
};
constexpr PiholeKey kSetupKeys[] = {
    {"API_"},
    {"BLOCKING_ENABLED"},
    {"CACHE_SIZE"},
    {"CORS_"},
    {"CONDITIONAL_FORWARDING"},
    {"DNSMASQ_LISTENING"},
    {"DNS_BOGUS_PRIV"},
    {"DNS_FQDN_REQUIRED"},
    {"GRAVITY_TMPDIR"},
    {"INSTALL_"},
    {"IPV4_ADDRESS"},
    {"IPV6_ADDRESS"},
    {"LIGHTTPD_ENABLED"},
    {"PIHOLE_DNS_"},
    {"PIHOLE_DOMAIN"},
    {"PIHOLE_INTERFACE"},
    {"QUERY_LOGGING"},
    {"REV_SERVER"},
    {"TEMPERATURE"},
    {"WEBENABLED"},
    {"WEBPASSWORD"},
    {"WEBTHEME"},
    {"WEBUIBOXEDLAYOUT"},
    {"WEB_"},
    {"ADMIN_EMAIL"},
    {"THEME"},
    {"DNSSEC", "set 'trust_ad' of upstreams that validate, or write a 'recursion'"},
    {"DHCP_",
     "SteerDNS has no DHCP server: let your router serve DHCP, and read its leases with "
     "'dhcp_leases'"},
    {"HOSTRECORD", "write a record of 'static'"}};
constexpr PiholeKey kFtlKeys[] = {{"ADDR2LINE"},
                                  {"ANALYZE_ONLY_A_AND_AAAA"},
                                  {"API_"},
                                  {"BLOCKINGMODE"},
                                  {"BLOCK_ESNI"},
                                  {"BLOCK_ICLOUD_PR"},
                                  {"BLOCK_IPV4"},
                                  {"BLOCK_IPV6"},
                                  {"BLOCK_TTL"},
                                  {"CHECK_"},
                                  {"CNAME_DEEP_INSPECT"},
                                  {"DBFILE"},
                                  {"DBIMPORT"},
                                  {"DBINTERVAL"},
                                  {"DEBUG_"},
                                  {"DELAY_STARTUP"},
                                  {"EDNS0_ECS"},
                                  {"FTLPORT"},
                                  {"GRAVITYDB"},
                                  {"IGNORE_LOCALHOST"},
                                  {"LOCAL_IPV4"},
                                  {"LOCAL_IPV6"},
                                  {"LOGFILE"},
                                  {"MACVENDORDB"},
                                  {"MAXDBDAYS"},
                                  {"MAXLOGAGE"},
                                  {"MAXNETAGE"},
                                  {"MOZILLA_CANARY"},
                                  {"NAMES_FROM_NETDB"},
                                  {"NICE"},
                                  {"PARSE_ARP_CACHE"},
                                  {"PIDFILE"},
                                  {"PIHOLE_PTR"},
                                  {"PORTFILE"},
                                  {"PRIVACYLEVEL"},
                                  {"RATE_LIMIT"},
                                  {"REFRESH_HOSTNAMES"},
                                  {"REPLY_ADDR4"},
                                  {"REPLY_ADDR6"},
                                  {"REPLY_WHEN_BUSY"},
                                  {"RESOLVE_IPV4"},
                                  {"RESOLVE_IPV6"},
                                  {"SETUPVARSFILE"},
                                  {"SHOW_DNSSEC"},
                                  {"SOCKETFILE"},
                                  {"SOCKET_LISTENING"},
                                  {"WEB"}};
constexpr PiholeKey kTomlKeys[] = {
    {"dns.upstreams"},
    {"dns.CNAMEdeepInspect"},
    {"dns.blockESNI"},
    {"dns.EDNS0ECS"},
    {"dns.ignoreLocalhost"},
    {"dns.showDNSSEC"},
    {"dns.analyzeOnlyAandAAAA"},
    {"dns.piholePTR"},
    {"dns.replyWhenBusy"},
    {"dns.blockTTL"},
    {"dns.hosts"},
    {"dns.domainNeeded"},
    {"dns.expandHosts"},
    {"dns.bogusPriv"},
    {"dns.interface"},
    {"dns.listeningMode"},
    {"dns.queryLogging"},
    {"dns.cnameRecords"},
    {"dns.port"},
    {"dns.localise"},
    {"dns.revServers"},
    {"dns.domain."},
    {"dns.cache."},
    {"dns.blocking."},
    {"dns.specialDomains."},
    {"dns.reply."},
    {"dns.rateLimit."},
    {"dns.domain"},
    {"ntp."},
    {"resolver."},
    {"database."},
    {"webserver."},
    {"files."},
    {"debug."},
    {"misc.privacylevel"},
    {"misc.delay_startup"},
    {"misc.nice"},
    {"misc.addr2line"},
    {"misc.extraLogging"},
    {"misc.readOnly"},
    {"misc.normalizeCPU"},
    {"misc.hide_dnsmasq_warn"},
    {"misc.check."},
    {"dhcp."},
    {"dns.dnssec", "set 'trust_ad' of upstreams that validate, or write a 'recursion'"},
    {"dns.hostRecord", "write a record of 'static'"},
    {"misc.etc_dnsmasq_d", "import the files of /etc/dnsmasq.d with 'steerctl import dnsmasq'"},
    {"misc.dnsmasq_lines", "import these lines with 'steerctl import dnsmasq'"}};

struct PiholeSetting {
    std::string value;
    std::vector<std::string> values;  // of a list
    std::string place;
};

bool is_true(std::string_view text) {
    const std::string low = lowered(text);
    return low == "true" || low == "1" || low == "yes" || low == "on";
}

class PiholeImport {
  public:
    PiholeImport(const std::vector<FolderFile>& files,
                 const std::function<bool(const std::string&)>& is_file)
        : files_(files), is_file_(is_file) {}

    std::optional<Failure> failure;

    BlockerModel read() {
        read_settings();
        if (failure) return {};
        upstreams();
        names();
        answers();
        query_log();
        lists();
        for (const FolderFile& file : files_)
            if (!is_pihole_file(file.name))
                m_.notes.push_back({"", file.name + " is not read: " + why_unread(file.name)});
        m_.listen = {":" +
                     std::to_string(parse_number(get("dns.port").value, 65'535).value_or(53))};
        if (m_.listen.front() == ":0") m_.listen = {":53"};
        return std::move(m_);
    }

  private:
    static std::string why_unread(const std::string& name) {
        if (name == "gravity.db")
            return "it is a database; write its tables as JSON beside it (docs/guides/import.md)";
        if (name.ends_with(".conf")) return "import it with 'steerctl import dnsmasq'";
        return "it is not a file of Pi-hole's settings";
    }

    [[nodiscard]] std::string_view text_of(std::string_view name) const {
        const auto at = std::ranges::find(files_, name, &FolderFile::name);
        return at == files_.end() ? std::string_view{} : std::string_view{at->text};
    }
    std::string place_of(std::string_view file, int line) const {
        const auto at = std::ranges::find(files_, file, &FolderFile::name);
        return line_place(line) + (at->path.empty() ? "" : " of " + at->path);
    }
    void note(const std::string& place, std::string text) {
        m_.notes.push_back({place, std::move(text)});
    }

    template <class Visit>
    void lines(std::string_view name, Visit visit) const {
        int number = 0;
        for (const std::string& line : split_all(text_of(name), '\n')) {
            ++number;
            if (const auto text = trimmed(line); !text.empty() && !text.starts_with('#'))
                visit(to_utf8(text), place_of(name, number));
        }
    }

    // ---- settings

    void read_settings() {
        TomlFile toml = read_pihole_toml(text_of("pihole.toml"));
        if (toml.failure) {
            const auto at = std::ranges::find(files_, "pihole.toml", &FolderFile::name);
            const std::string line = std::to_string(toml.failure->line);
            failure = at->path.empty() ? *toml.failure
                                       : Failure{0, "has an error in " + at->path + ":" + line +
                                                        ": " + toml.failure->text};
            return;
        }
        for (TomlEntry& entry : toml.entries) {
            const std::string place = place_of("pihole.toml", entry.line);
            check(entry.key, entry.is_list ? join(entry.values, ",") : entry.text(), place,
                  kTomlKeys);
            settings_[entry.key] = {to_utf8(entry.text()), std::move(entry.values), place};
        }
        plain("setupVars.conf", kSetupKeys);
        plain("pihole-FTL.conf", kFtlKeys);
    }

    void plain(std::string_view file, std::span<const PiholeKey> known) {
        lines(file, [&](const std::string& line, const std::string& place) {
            const auto equals = std::min(line.find('='), line.size());
            const std::string key(trimmed(std::string_view(line).substr(0, equals)));
            std::string value(
                trimmed(std::string_view(line).substr(std::min(equals + 1, line.size()))));
            if (value.size() > 1 && value.front() == '"' && value.back() == '"')
                value = value.substr(1, value.size() - 2);
            check(key, value, place, known);
            settings_[key] = {value, {}, place};
        });
    }

    void check(const std::string& key, const std::string& value, const std::string& place,
               std::span<const PiholeKey> known) {
        const auto at = std::ranges::find_if(known, [&](const PiholeKey& k) {
            return k.begin == key ||
                   ((k.begin.ends_with('.') || k.begin.ends_with('_') || k.begin == "WEB" ||
                     k.begin == "REV_SERVER" || k.begin == "TEMPERATURE" ||
                     k.begin == "CONDITIONAL_FORWARDING") &&
                    key.starts_with(k.begin));
        });
        if (at == known.end())
            return note(place, in_quotes(key) + " is not imported: it is not a known setting");
        const bool off = value.empty() || value == "0" || lowered(value) == "false";
        if (at->note.empty() || off) return;
        if (at->begin != "DHCP_" || key == "DHCP_ACTIVE")
            note(place, key + " is not imported: " + std::string(at->note));
    }

    [[nodiscard]] PiholeSetting get(std::string_view key) const {
        const auto at = settings_.find(std::string(key));
        return at == settings_.end() ? PiholeSetting{} : at->second;
    }
    // The setting of Pi-hole 6, or that of version 5.
    [[nodiscard]] PiholeSetting get(std::string_view now, std::string_view before) const {
        const auto at = settings_.find(std::string(now));
        return at == settings_.end() ? get(before) : at->second;
    }

    // ---- upstreams

    // "192.0.2.1#5353", "2001:db8::1" or a name.
    std::optional<Upstream> upstream(const std::string& text, const std::string& place) {
        const auto hash = text.find('#');
        const std::string host = text.substr(0, hash);
        const auto port = hash == std::string::npos
                              ? std::optional<std::uint64_t>(53)
                              : parse_number(std::string_view(text).substr(hash + 1), 65'535);
        const bool is_address = is_v4(host) || is_v6(host);
        if (!port || *port == 0 || !is_address || !can_be_asked(host)) {
            note(place, "the upstream " + in_quotes(text) +
                            " is not imported: expected an address, or ADDRESS#PORT");
            return std::nullopt;
        }
        Upstream out;
        out.addr = *port == 53 ? host : with_port(host, *port);
        return out;
    }

    void upstreams() {
        const PiholeSetting now = get("dns.upstreams");
        for (const std::string& text : now.values)
            if (auto made = upstream(text, now.place))
                m_.servers.forward.upstreams.push_back(*std::move(made));
        for (int i = 1; i <= 64 && now.place.empty(); ++i) {
            const PiholeSetting one = get("PIHOLE_DNS_" + std::to_string(i));
            if (one.value.empty()) continue;
            if (auto made = upstream(one.value, one.place))
                m_.servers.forward.upstreams.push_back(*std::move(made));
        }
        for (const std::string& row : get("dns.revServers").values)
            reverse_server(row, get("dns.revServers").place);
        if (is_true(get("REV_SERVER").value))
            reverse_server("true," + get("REV_SERVER_CIDR").value + "," +
                               get("REV_SERVER_TARGET").value + "," +
                               get("REV_SERVER_DOMAIN").value,
                           get("REV_SERVER").place);
        // Names without a dot, and names of the local domain, have no upstream.
        if (is_true(get("dns.domainNeeded", "DNS_FQDN_REQUIRED").value))
            m_.unforwarded.push_back("regexp:^[^.]+$");
        const PiholeSetting local = get("dns.domain.local");
        const std::string domain = get("dns.domain.name").value;
        const bool is_local = local.place.empty() || is_true(local.value);
        if (is_local && !domain.empty() && name_error(domain).empty())
            m_.unforwarded.push_back("domain:" + plain_name(domain));
        const std::string size = get("dns.cache.size", "CACHE_SIZE").value;
        if (const auto number = parse_number(size, 100'000'000))
            m_.cache_size = std::to_string(*number);
        const std::string mode = lowered(get("dns.listeningMode", "DNSMASQ_LISTENING").value);
        if (mode == "all" || mode == "single" || mode == "bind") m_.allow = {"0.0.0.0/0", "::/0"};
    }

    // "true,192.168.0.0/24,192.168.0.1#53,lan"
    void reverse_server(const std::string& text, const std::string& place) {
        const std::vector<std::string> words = split_all(text, ',');
        if (words.size() < 3 || !is_true(words[0])) return;
        auto server = upstream(words[2], place);
        if (!server) return;
        ZoneServers zone;
        zone.forward.upstreams.push_back(*std::move(server));
        zone.names = reverse_zones(words[1]);
        if (zone.names.empty())
            note(place, "the network " + in_quotes(words[1]) +
                            " is not imported: expected an IPv4 prefix of 8 bits or more, or an "
                            "IPv6 prefix");
        if (words.size() > 3 && !words[3].empty()) {
            if (name_error(words[3]).empty())
                zone.names.push_back("domain:" + plain_name(words[3]));
            else
                note(place,
                     "the domain " + in_quotes(words[3]) + " is not imported: it is not a name");
        }
        if (!zone.names.empty()) m_.servers.zones.push_back(std::move(zone));
    }

    // The zones of in-addr.arpa that hold a network; for IPv6 the one above it.
    static std::vector<std::string> reverse_zones(const std::string& prefix) {
        const auto slash = prefix.find('/');
        const std::string address = prefix.substr(0, slash);
        const bool v4 = is_v4(address);
        if (!v4 && !is_v6(address)) return {};
        const auto length =
            slash == std::string::npos
                ? std::optional<std::uint64_t>(v4 ? 32 : 128)
                : parse_number(std::string_view(prefix).substr(slash + 1), v4 ? 32 : 128);
        if (!length || *length < (v4 ? 8U : 4U)) return {};
        const std::vector<std::string> labels = split(pointer_name(address), '.');
        const std::uint64_t unit = v4 ? 8 : 4;
        const std::uint64_t whole = *length / unit;  // labels that the prefix fixes
        const std::uint64_t left = *length % unit;
        const std::size_t skipped = (v4 ? 4U : 32U) - whole;
        const std::string above =
            join({labels.begin() + static_cast<std::ptrdiff_t>(skipped), labels.end()}, ".");
        if (left == 0 || !v4) return {"domain:" + above};
        std::vector<std::string> out;
        const std::uint64_t count = std::uint64_t{1} << (unit - left);
        const std::uint64_t first =
            parse_number(labels[skipped - 1], 255).value_or(0) / count * count;
        for (std::uint64_t i = 0; i < count; ++i)
            out.push_back("domain:" + std::to_string(first + i) + "." + above);
        return out;
    }

    // ---- records

    void host(const std::string& line, const std::string& place) {
        const std::vector<std::string> words = split(without_tabs(line), ' ');
        if (words.size() < 2 || (!is_v4(words[0]) && !is_v6(words[0])))
            return note(place, in_quotes(line) + " is not imported: expected ADDRESS NAME");
        for (std::size_t i = 1; i < words.size() && !words[i].starts_with('#'); ++i) {
            if (const std::string why = name_error(words[i]); !why.empty()) {
                note(place, "the name " + in_quotes(words[i]) + " is not imported: it " + why);
                continue;
            }
            Record record;
            record.name = plain_name(words[i]);
            record.place = place;
            record.data.add("address", words[0]).add("ttl", ttl_);
            m_.records.push_back(std::move(record));
        }
    }
    static std::string without_tabs(std::string text) {
        std::ranges::replace(text, '\t', ' ');
        return text;
    }

    // "ALIAS[,ALIAS...],TARGET[,TTL]"
    void alias(const std::string& text, const std::string& place) {
        std::vector<std::string> words = split(text, ',');
        std::string ttl = ttl_;
        if (words.size() > 2 && parse_number(words.back(), 86'400)) {
            ttl = words.back() + "s";
            words.pop_back();
        }
        const bool good = words.size() >= 2 && std::ranges::all_of(words, [](const std::string& w) {
                              return name_error(w).empty();
                          });
        if (!good)
            return note(place,
                        "the alias " + in_quotes(text) + " is not imported: expected ALIAS,TARGET");
        for (std::size_t i = 0; i + 1 < words.size(); ++i) {
            Record record;
            record.name = plain_name(words[i]);
            record.place = place;
            record.type = "CNAME";
            record.alias = plain_name(words.back());
            record.data.add("cname", record.alias).add("ttl", ttl);
            m_.records.push_back(std::move(record));
        }
    }

    void names() {
        m_.with_ptr = true;
        const auto ttl = parse_number(get("dns.blockTTL", "BLOCK_TTL").value, 86'400);
        ttl_ = std::to_string(ttl.value_or(2)) + "s";
        for (const std::string& line : get("dns.hosts").values)
            host(line, get("dns.hosts").place);
        lines("custom.list",
              [this](const std::string& line, const std::string& place) { host(line, place); });
        for (const std::string& line : get("dns.cnameRecords").values)
            alias(line, get("dns.cnameRecords").place);
        lines("05-pihole-custom-cname.conf",
              [this](const std::string& line, const std::string& place) {
                  if (line.starts_with("cname=")) return alias(line.substr(6), place);
                  note(place, in_quotes(line) + " is not imported: expected cname=ALIAS,TARGET");
              });
        const auto circles = drop_circles(m_.records);
        m_.notes.insert(m_.notes.end(), circles.begin(), circles.end());
    }

    // ---- answers and limits

    void answers() {
        const PiholeSetting mode = get("dns.blocking.mode", "BLOCKINGMODE");
        const std::string word = lowered(mode.value);
        std::vector<std::string> ips;
        for (const auto& [now, before] : {std::pair("dns.reply.blocking.IPv4", "BLOCK_IPV4"),
                                          std::pair("dns.reply.blocking.IPv6", "BLOCK_IPV6")})
            if (const std::string ip = get(now, before).value; is_v4(ip) || is_v6(ip))
                ips.push_back(ip);
        if (word == "nx" || word == "nxdomain") {
            m_.answer = "nxdomain";
        } else if (word == "nodata") {
            m_.answer = "nodata";
        } else if (word == "ip" || word.starts_with("ip-nodata") || word.starts_with("ip_nodata")) {
            if (word != "ip") std::erase_if(ips, [](const std::string& ip) { return is_v6(ip); });
            if (ips.empty()) {
                note(mode.place,
                     "the blocking mode " + in_quotes(mode.value) +
                         " is not imported: Pi-hole has no page here; 0.0.0.0 and :: are answered");
            } else {
                m_.answer = "custom " + join(ips, " ");
            }
        } else if (!word.empty() && word != "null") {
            note(mode.place, "the blocking mode " + in_quotes(mode.value) +
                                 " is not known: 0.0.0.0 and :: are answered");
        }
        const auto unless_off = [this](std::string_view now, std::string_view before) {
            const PiholeSetting value = get(now, before);
            return value.place.empty() || is_true(value.value);
        };
        m_.canaries = unless_off("dns.specialDomains.mozillaCanary", "MOZILLA_CANARY") ||
                      unless_off("dns.specialDomains.iCloudPrivateRelay", "BLOCK_ICLOUD_PR");
        m_.cname = unless_off("dns.CNAMEdeepInspect", "CNAME_DEEP_INSPECT");
        const std::vector<std::string> old = split_all(get("RATE_LIMIT").value, '/');
        const auto count =
            parse_number(old.size() == 2 ? old[0] : get("dns.rateLimit.count").value, 1'000'000);
        const auto interval =
            parse_number(old.size() == 2 ? old[1] : get("dns.rateLimit.interval").value, 86'400);
        if (count && interval && *count > 0 && *interval > 0) {
            const std::uint64_t thousandths =
                std::clamp<std::uint64_t>(*count * 1000 / *interval, 1, 1'000'000'000);
            const std::string part = std::to_string(1000 + thousandths % 1000).substr(1);
            m_.limit_rate = std::to_string(thousandths / 1000) + (part == "000" ? "" : "." + part);
            m_.limit_burst = std::to_string(
                std::min<std::uint64_t>(*count, std::max<std::uint64_t>(thousandths * 36 / 10, 1)));
            m_.limit_action = "refuse";
            m_.limit_prefix4 = "32";
            m_.limit_prefix6 = "128";
        }
        if (const PiholeSetting dhcp = get("dhcp.active"); is_true(dhcp.value))
            note(dhcp.place,
                 "dhcp is not imported: SteerDNS has no DHCP server. Let your router serve DHCP, "
                 "and read its leases with 'dhcp_leases'");
    }

    void query_log() {
        const PiholeSetting logs = get("dns.queryLogging", "QUERY_LOGGING");
        const PiholeSetting days = get("database.maxDBdays", "MAXDBDAYS");
        const PiholeSetting privacy = get("misc.privacylevel", "PRIVACYLEVEL");
        if (!privacy.value.empty() && privacy.value != "0") {
            note(privacy.place, "the privacy level " + privacy.value.substr(0, 8) +
                                    " is not imported: there is no query log below");
            return;
        }
        if (!logs.place.empty() && !is_true(logs.value)) return;
        if (days.value == "0" || days.value == "-1") return;
        const auto number = parse_number(days.value, 1'000'000);
        m_.retention_days = std::to_string(std::clamp<std::uint64_t>(number.value_or(91), 1, 3650));
    }

    // ---- lists

    void text_list(std::string_view name, bool allows, bool expressions) {
        lines(name, [&](const std::string& line, const std::string& place) {
            const FilterRule rule = read_filter_rule(expressions ? "/" + line + "/" : line);
            if (rule.kind != FilterRule::Kind::block)
                return note(place, in_quotes(line) + " is not imported: " +
                                       (rule.why.empty() ? "it is not a name" : rule.why));
            for (const std::string& one : rule.rules) {
                if (allows) m_.everyone.allow.push_back(one);
                m_.everyone.block.push_back((allows ? "@@" : "") + one);
            }
        });
    }

    void lists() {
        const PiholeSetting on = get("dns.blocking.active", "BLOCKING_ENABLED");
        if (!on.place.empty() && !is_true(on.value)) {
            note(on.place,
                 "blocking is off: nothing is blocked below. Turn it on and import again to get "
                 "the lists");
            return;
        }
        PiholeTables tables;
        tables.adlist = text_of("adlist.json");
        tables.adlist_by_group = text_of("adlist_by_group.json");
        tables.domainlist = text_of("domainlist.json");
        tables.domainlist_by_group = text_of("domainlist_by_group.json");
        tables.client = text_of("client.json");
        tables.client_by_group = text_of("client_by_group.json");
        tables.group = text_of("group.json");
        tables.block_exact = text_of("blacklist.exact.json");
        tables.block_regex = text_of("blacklist.regex.json");
        tables.allow_exact = text_of("whitelist.exact.json");
        tables.allow_regex = text_of("whitelist.regex.json");
        read_pihole_tables(tables, m_, is_file_);
        lines("adlists.list", [this](const std::string& line, const std::string& place) {
            if (host_of_url("https", line).empty() && host_of_url("http", line).empty())
                return note(place, "the list " + in_quotes(line) +
                                       " is not imported: expected an http:// or https:// URL");
            m_.everyone.lists.push_back(line);
        });
        text_list("whitelist.txt", true, false);
        text_list("blacklist.txt", false, false);
        text_list("regex.list", false, true);
        if (std::ranges::all_of(m_.everyone.block,
                                [](const std::string& one) { return one.starts_with("@@"); }))
            m_.everyone.block.clear();
    }

    const std::vector<FolderFile>& files_;
    const std::function<bool(const std::string&)>& is_file_;
    BlockerModel m_;
    std::map<std::string, PiholeSetting> settings_;
    std::string ttl_;
};

}  // namespace

bool is_pihole_file(std::string_view name) {
    return std::ranges::find(kTables, name) != std::end(kTables) ||
           std::ranges::find(kPiholeFiles, name) != std::end(kPiholeFiles);
}

Imported import_pihole(const std::vector<FolderFile>& files, std::string_view source,
                       const std::function<bool(const std::string&)>& is_file) {
    if (std::ranges::none_of(files,
                             [](const FolderFile& file) { return is_pihole_file(file.name); }))
        return {{},
                {},
                Failure{0,
                        "has no file of Pi-hole: expected pihole.toml, setupVars.conf or a "
                        "teleporter folder"}};
    for (const FolderFile& file : files)
        if (file.text.find('\0') != std::string::npos && is_pihole_file(file.name))
            return {{}, {}, Failure{0, "has a zero byte in " + file.name + ": expected text"}};
    PiholeImport made(files, is_file);
    BlockerModel model = made.read();
    if (made.failure) return {{}, {}, std::move(made.failure)};
    return write_blocker(std::move(model), "pihole", source);
}

}  // namespace steer::importing
