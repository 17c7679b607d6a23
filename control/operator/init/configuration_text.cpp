#include "control/operator/init/configuration_text.h"

#include "matchers/yaml_scalar.h"

namespace steer::init {
namespace {

std::string list_of(const std::string& indent, const std::vector<std::string>& texts) {
    std::string out;
    for (const std::string& text : texts)
        out += indent + "- " + yaml_scalar(text) + "\n";
    return out;
}

std::string dataplane(const Answers& answers) {
    std::string out =
        "dataplane:\n  ports:                      # clients ask the addresses of these\n";
    for (const std::string& name : answers.interfaces)
        out += "    - device: " + yaml_scalar(name) + "\n";
    if (answers.allow.empty())
        return out +
               "  # Private addresses and this host's own networks may ask; `allow` names "
               "others.\n";
    return out + "  allow:                      # who may ask; others are refused\n" +
           list_of("    ", answers.allow);
}

std::string tls(const Answers& answers) {
    if (!answers.tls) return {};
    if (answers.tls_anonymous)
        return "    tls: { anonymous: true }  # encrypted, not authenticated\n";
    if (!answers.tls_ca.empty()) return "    tls: { ca: " + yaml_scalar(answers.tls_ca) + " }\n";
    if (!answers.tls_pin.empty()) return "    tls: { pin: " + yaml_scalar(answers.tls_pin) + " }\n";
    return "    tls: true\n";
}

std::string router(const Answers& answers, const std::string& password_file) {
    const std::string password = password_file.empty()
                                     ? "    password: " + yaml_scalar(answers.password)
                                     : "    password_file: " + yaml_scalar(password_file);
    return "\nrouters:\n  router1:\n    address: " + yaml_scalar(answers.router) +
           "\n    username: " + yaml_scalar(answers.user) + "\n" + password + "\n" + tls(answers);
}

std::string list(const Answers& answers) {
    std::string out =
        "  # Names that take the other way out, with all names below them.\n"
        "  - tag: policy_names\n    type: domain_set\n    args:\n";
    if (!answers.names.empty()) out += "      exps:\n" + list_of("        ", answers.names);
    if (!answers.name_files.empty())
        out += "      files:\n" + list_of("        ", answers.name_files);
    out +=
        "\n  # Writes the addresses of these names into the router's address lists.\n"
        "  - tag: policy_list\n    type: ros_address_list\n    args:\n      router: router1\n"
        "      address_list4: " +
        yaml_scalar(answers.list + "_v4") + "\n";
    if (!answers.gateway6.empty()) {
        out += "      address_list6: " + yaml_scalar(answers.list + "_v6") + "\n";
    } else if (answers.dns64.empty()) {
        out +=
            "      missing_family: nodata    # the other way has no IPv6: these names get no "
            "AAAA\n";
    }
    return out +
           "      async: false              # the first answer waits until its row is there\n\n";
}

std::string upstreams(const Answers& answers) {
    std::string out = "  # Who resolves names.\n  - tag: upstreams\n    type: forward\n";
    if (answers.upstreams.empty())
        return out + "    # (the resolvers of this host's network, followed as they change)\n";
    out += "    args:\n      upstreams:\n";
    for (const Upstream& upstream : answers.upstreams) {
        out += "        - addr: " + yaml_scalar(upstream.addr) + "\n";
        if (!upstream.dial_addr.empty())
            out += "          dial_addr: " + yaml_scalar(upstream.dial_addr) + "\n";
    }
    return out;
}

std::string control(const Answers& answers) {
    if (!answers.has_page) return {};
    return "\ncontrol:\n"
           "  http: on                    # the page; `steerctl page` prints its address and a "
           "link\n";
}

std::string ads_and_log(const Answers& answers) {
    std::string out;
    if (!answers.days.empty()) {
        out +=
            "  # Who asked for what: `steerctl history`, and the page.\n"
            "  - tag: log\n    type: query_recorder\n    args:\n"
            "      path: /var/lib/steerdns/queries.db\n      retention_days: " +
            answers.days + "\n\n";
    }
    if (!answers.ads.empty()) {
        out +=
            "  # Ads and trackers; `steerctl adlist pause 600` lets them through for a while.\n"
            "  - tag: ads\n    type: adlist\n    args:\n      lists:\n        - " +
            yaml_scalar(answers.ads) + "\n\n";
    }
    return out;
}

std::string sequence(const Answers& answers) {
    std::string out =
        "\n  # What happens to a query, top down.\n  - tag: main\n    type: sequence\n    args:\n";
    if (!answers.days.empty()) out += "      - exec: $log\n";
    if (!answers.ads.empty()) out += "      - exec: $ads\n";
    if (!answers.router.empty())
        out += "      - matches: \"qname $policy_names\"\n        exec: $policy_list\n";
    out += "      - exec: $answers\n";
    if (!answers.dns64.empty())
        out += "      - exec: " + yaml_scalar("dns64 " + answers.dns64) +
               "  # IPv6 addresses for names that have IPv4 alone\n";
    return out + "      - exec: $upstreams\n";
}

constexpr const char* kCache =
    "\n  - tag: answers\n    type: cache\n    args:\n      size: 32MiB\n"
    "      short_circuit: true       # no upstream is asked for what is here\n"
    "      serve_stale: true         # while no upstream answers\n"
    "      prefetch: true            # popular answers, before they expire\n"
    "      dump_file: /var/lib/steerdns/answers.dump   # kept over a restart\n";

}  // namespace

std::string configuration_text(const Answers& answers, const std::string& password_file) {
    std::string out =
        "# Written by steerdnsd --init. Manual: steerdns.yaml(5).\n"
        "# After a change: steerdnsd --check, then steerctl reload.\n\n";
    out += dataplane(answers);
    out += control(answers);
    if (!answers.router.empty()) out += router(answers, password_file);
    out += "\nplugins:\n" + ads_and_log(answers);
    if (!answers.router.empty()) out += list(answers);
    return out + upstreams(answers) + kCache + sequence(answers);
}

}  // namespace steer::init
