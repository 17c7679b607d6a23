#include "import_commands.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdio>

#include "output.h"
#include "report.h"

namespace steerctl {
namespace json = boost::json;

ImportCommands::ImportCommands(CLI::App& app)
    : import(app.add_subcommand(
          "import",
          "Convert the configuration of another program; notes name what was not "
          "converted")) {
    import->require_subcommand(1);
    auto* const routeros =
        add("routeros", "Convert a RouterOS /export, or the configuration of a router");
    auto* const file =
        routeros->add_option("FILE", options.file, "The export, or - for standard input");
    auto* const live =
        routeros
            ->add_option("--live", options.router,
                         "Read from the API of this router (HOST or HOST:PORT) instead of FILE")
            ->excludes(file);
    const auto add_live = [&](const char* name, auto& value, const char* help) {
        routeros->add_option(name, value, help)->needs(live);
    };
    add_live("--user", options.user,
             "RouterOS user with the policies read and api (default: admin)");
    add_live("--password-file", options.password_file,
             "File whose first line is the password (default: STEERDNS_PASSWORD, or a prompt)");
    add_live("--ca", options.ca, "Use TLS; PEM file with CA certificates for the router");
    add_live("--pin", options.pin, "Use TLS; SHA-256 fingerprint of the router's certificate");
    routeros->add_flag("--tls", options.tls, "Use TLS (port 8729)")->needs(live);
    routeros->add_flag("--anonymous", options.anonymous, "Use TLS without a certificate")
        ->needs(live);
    routeros->callback([this] {
        if (options.file.empty() && options.router.empty())
            throw CLI::RequiredError("FILE or --live ROUTER");
    });
    constexpr std::pair<const char*, const char*> kFiles[] = {
        {"corefile", "Convert a Corefile of CoreDNS"},
        {"dnsmasq", "Convert a dnsmasq.conf"},
        {"forgedns", "Convert a config.yaml of ForgeDNS or OxiDNS"},
        {"mosdns", "Convert a config.yaml of mosdns v5"},
    };
    for (const auto& [kind, help] : kFiles)
        add(kind, help)
            ->add_option("FILE", options.file, "The file, or - for standard input")
            ->required();
}

CLI::App* ImportCommands::add(const char* kind, const char* help) {
    auto* const command = import->add_subcommand(kind, help);
    command->add_option("-o,--output", options.output,
                        "Write to this file (default: standard output)");
    command->add_flag("--force", options.force, "Replace an existing file");
    return command;
}

int ImportCommands::run() {
    options.kind = import->get_subcommands().front()->get_name();
    const steer::importing::ImportResult result = run_import(options);
    if (result.code != steer::kExitDone) {
        return fail(result.code == steer::kExitRejected ? steer::ErrorCode::bad_input
                                                        : steer::ErrorCode::output,
                    result.trouble);
    }
    if (screen().as_json) {
        json::array notes;
        for (const auto& [place, text] : result.notes)
            notes.push_back(json::object{{"place", place}, {"text", text}});
        json::object answer{{"notes", std::move(notes)}};
        if (options.output.empty()) {
            answer["configuration"] = result.yaml;
        } else {
            answer["file"] = options.output;
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

}  // namespace steerctl
