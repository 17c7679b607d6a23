#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdio>
#include <memory>
#include <utility>

#include "commands.h"
#include "tools/import/command.h"

namespace steerctl {
namespace json = boost::json;

namespace {

int import_file(const CLI::App& command, steer::importing::ImportOptions& wanted) {
    wanted.kind = command.get_subcommands().front()->get_name();
    const steer::importing::ImportResult result = run_import(wanted);
    if (result.code != steer::kExitDone) {
        return fail(result.code == steer::kExitRejected ? steer::ErrorCode::bad_input
                                                        : steer::ErrorCode::output,
                    result.error);
    }
    if (screen().as_json) {
        json::array notes;
        for (const auto& [place, text] : result.notes)
            notes.push_back(json::object{{"place", place}, {"text", text}});
        json::object answer{{"notes", std::move(notes)}};
        if (wanted.output.empty()) {
            answer["configuration"] = result.yaml;
        } else {
            answer["file"] = wanted.output;
        }
        print_json(answer);
        return 0;
    }
    // Byte by byte, as a file would have it.
    std::fwrite(result.yaml.data(), 1, result.yaml.size(), stdout);
    std::fflush(stdout);  // before the notes
    for (const auto& [place, text] : result.notes)
        std::fprintf(stderr, "%s: note: %s\n", place.c_str(), text.c_str());
    return 0;
}

}  // namespace

Run add_import(CLI::App& command, Options& /*options*/) {
    const auto wanted = std::make_shared<steer::importing::ImportOptions>();
    const auto add = [&command, &wanted](const char* kind, const char* help) {
        auto* const one = command.add_subcommand(kind, help);
        one->add_option("-o,--output", wanted->output,
                        "Write to this file (default: standard output)");
        one->add_flag("--force", wanted->force, "Replace an existing file");
        return one;
    };
    command.require_subcommand(1);
    auto* const routeros =
        add("routeros", "Convert a RouterOS /export, or the configuration of a router");
    auto* const file =
        routeros->add_option("FILE", wanted->file, "The export, or - for standard input");
    auto* const live =
        routeros
            ->add_option("--live", wanted->router,
                         "Read from the API of this router (HOST or HOST:PORT) instead of FILE")
            ->excludes(file);
    const auto add_live = [&](const char* name, auto& value, const char* help) {
        routeros->add_option(name, value, help)->needs(live);
    };
    add_live("--user", wanted->user,
             "RouterOS user with the policies read and api (default: admin)");
    add_live("--password-file", wanted->password_file,
             "File whose first line is the password (default: STEERDNS_PASSWORD, or a prompt)");
    add_live("--ca", wanted->ca, "Use TLS; PEM file with CA certificates for the router");
    add_live("--pin", wanted->pin, "Use TLS; SHA-256 fingerprint of the router's certificate");
    routeros->add_flag("--tls", wanted->tls, "Use TLS (port 8729)")->needs(live);
    routeros->add_flag("--anonymous", wanted->anonymous, "Use TLS without a certificate")
        ->needs(live);
    routeros->callback([wanted] {
        if (wanted->file.empty() && wanted->router.empty())
            throw CLI::RequiredError("FILE or --live ROUTER");
    });
    constexpr std::pair<const char*, const char*> kFiles[] = {
        {"corefile", "Convert a Corefile of CoreDNS"},
        {"dnsmasq", "Convert a dnsmasq.conf"},
        {"forgedns", "Convert a config.yaml of ForgeDNS or OxiDNS"},
        {"mosdns", "Convert a config.yaml of mosdns v5"},
        {"adguardhome", "Convert an AdGuardHome.yaml"},
        {"technitium", "Convert exports of Technitium DNS Server (a folder, or one of its files)"},
        {"pihole", "Convert a teleporter folder of Pi-hole, its pihole.toml or setupVars.conf"},
        {"kresd", "Convert a kresd.conf of Knot Resolver (not its scripts)"},
    };
    for (const auto& [kind, help] : kFiles)
        add(kind, help)
            ->add_option("FILE", wanted->file, "The file, or - for standard input")
            ->required();
    auto* const unbound =
        add("unbound", "Convert an unbound.conf, with the files that it includes");
    unbound->add_option("FILE", wanted->file, "The file, or - for standard input")->required();
    unbound->add_option("MORE", wanted->more_files, "Further files, which are read after it");
    return [&command, wanted] { return import_file(command, *wanted); };
}

}  // namespace steerctl
