#include "control/operator/init/init.h"

#include <grp.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <vector>

#include "control/config/load.h"
#include "control/host/kernel/addresses.h"
#include "control/host/process/new_file.h"
#include "control/host/process/rights.h"
#include "control/operator/init/configuration_text.h"
#include "control/operator/init/dialogue.h"
#include "control/operator/setup/routeros_setup.h"
#include "control/operator/setup/steps.h"
#include "control/program/build/registry.h"
#include "control/program/reload/host_servers.h"
#include "control/program/reload/judge.h"
#include "control/program/reload/port_check.h"
#include "matchers/exit_codes.h"
#include "matchers/safe_text.h"
#include "routeros/password_input.h"

namespace steer::init {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kForGroup = 0640, kForOwner = 0600;

ExitCode fail(const Error& error, ExitCode code) {
    std::fprintf(stderr, "error: %s\n", safe_text(error.sentence(), kSafeLineBytes).c_str());
    return code;
}

// ---- this machine

std::vector<std::string> resolvers_of_host(const HostFacts& facts) {
    config::Settings settings;
    config::Forward forward;
    forward.of_host = true;
    settings.plugins.emplace_back().args = std::move(forward);
    (void)fill_host_servers(settings, facts.addresses);
    std::vector<std::string> out;
    for (const auto& upstream : std::get<config::Forward>(settings.plugins.front().args).upstreams)
        out.push_back(upstream.addr);
    return out;
}

Host read_this_host() {
    Host host;
    const HostFacts facts = read_host();
    host.default_interface = facts.default_interface;
    host.servers = resolvers_of_host(facts);
    if (const auto user = resolve_user({})) host.user = *user;
    auto netlink = kernel::Netlink::open();
    if (!netlink) return host;
    const kernel::Interfaces seen = kernel::read_interfaces(**netlink);
    for (const kernel::Link& link : seen.links) {
        if (link.name == "lo") continue;
        Interface one{link.name, {}};
        for (const kernel::Address& address : seen.addresses)
            if (address.if_index == link.if_index && !address.ip.is_link_local())
                one.addresses.push_back(address.ip);
        host.interfaces.push_back(std::move(one));
    }
    return host;
}

// ---- the terminal

std::optional<std::string> read_line(const std::string& prompt, bool secret) {
    std::cout << (secret ? "" : prompt) << std::flush;
    if (secret) return routeros::read_password(prompt);
    std::string line;
    if (!std::getline(std::cin, line)) return std::nullopt;
    return line;
}

// ---- what is written

struct Files {
    std::string configuration, password, commands, undo;
};

Files files_for(const std::string& file) {
    const fs::path path = fs::absolute(file).lexically_normal();
    const std::string extension = path.extension();
    const fs::path stem =
        extension == ".yaml" || extension == ".yml" ? fs::path(path).replace_extension() : path;
    return {path.string(), stem.string() + ".password", stem.string() + ".rsc",
            stem.string() + "-undo.rsc"};
}

struct Draft {
    std::string path, content, what;
    mode_t mode = kForGroup;
    bool for_daemon = true;  // it is read by the user that the daemon becomes
};

Result<void> refuse_what_is_there(const std::vector<Draft>& drafts) {
    for (const Draft& draft : drafts) {
        std::error_code ignored;
        if (fs::exists(fs::symlink_status(draft.path, ignored)))
            return Error{draft.path +
                         " is there already: write --force to replace it, or name "
                         "another file"};
    }
    return {};
}

// Root's files that the daemon reads after it became `user`.
void give_to_group(NewFile& file, const std::string& user) {
    const group* const found = user.empty() || is_nobody(user) ? nullptr : ::getgrnam(user.c_str());
    if (found == nullptr || ::geteuid() != 0) return;
    (void)file.give_group(found->gr_gid);
}

Result<void> write(const Draft& draft, const Host& host) {
    make_folder_of(draft.path);
    NewFile file(draft.path);
    file.write(draft.content);
    if (draft.for_daemon) give_to_group(file, host.user);
    if (!file.replace(draft.mode))
        return Error{draft.path + " cannot be written: " + file.why() +
                     "; run as root, or name a file in a folder of your own"};
    return {};
}

// The RouterOS blocks with the answers filled in.
setup::ImportFiles commands_for(const config::Settings& settings, const Answers& answers,
                                const Host& host) {
    setup::Values values;
    const auto fill = [&](const std::string& name, std::string_view value) {
        if (!value.empty()) values[name] = value;
    };
    for (const std::string& name : answers.interfaces) {
        const Interface* const one = host.find(name);
        for (const IpAddress& address :
             one == nullptr ? std::vector<IpAddress>{} : one->addresses) {
            const std::string blank(address.is_v4() ? setup::blanks::kDns4 : setup::blanks::kDns6);
            if (!values.contains(blank)) fill(blank, address.to_string());
        }
    }
    for (const config::Router& router : settings.routers)
        fill(setup::blanks::password(0), router.password);
    fill(setup::blanks::gateway4(0), answers.gateway4);
    fill(setup::blanks::gateway6(0), answers.gateway6);
    return setup::routeros_import_files(settings, values);
}

// What --check would say of the text before anything is written. kExitDone: nothing.
ExitCode check(const config::LoadOutcome& loaded) {
    std::vector<Error> errors = loaded.errors;
    if (errors.empty()) {
        build::Registry registry;
        errors = judge(loaded.settings, registry).errors;
    }
    for (const Error& error : errors)
        fail(error, kExitRejected);
    return errors.empty() ? kExitDone : kExitRejected;
}

// ---- what is reported at the end

std::string address_to_ask(const Answers& answers, const Host& host) {
    const Interface* const one = host.find(answers.interfaces.front());
    return one == nullptr ? std::string{} : one->addresses.front().to_string();
}

void say_next(const Answers& answers, const Host& host, const Files& files) {
    std::string name = "debian.org";
    for (const std::string& rule : answers.names) {
        const bool is_name = rule.starts_with("domain:") || rule.starts_with("full:");
        if (is_name) name = rule.substr(rule.find(':') + 1);
        if (is_name) break;
    }
    const bool is_default = files.configuration == config::kDefaultFile;
    std::cout << "\nNext:\n"
              << "  1. See what this machine needs:  steerctl setup --config "
              << files.configuration << "\n"
              << "  2. Start:  "
              << (is_default ? "systemctl enable steerdnsd && systemctl restart steerdnsd"
                             : "steerdnsd --config " + files.configuration)
              << "\n";
    const std::string ask = "kdig @" + address_to_ask(answers, host) + " " + name;
    const char* const page = "Open the page by the link of:  steerctl page\n";
    if (answers.router.empty()) {
        std::cout << "  3. Ask:  " << ask << "\n";
        if (answers.has_page) std::cout << "  4. " << page;
        return;
    }
    const std::string block = fs::path(files.commands).filename();
    std::cout << "  3. Copy " << block << " to the router";
    if (answers.gateway4.empty()) std::cout << ", fill in gateway1v4";
    std::cout << ", and run  /import " << block << "\n     Then ask:  " << ask
              << "  and look:  steerctl routers\n"
              << "  4. Move your clients: do the last step in " << block << "\n";
    if (answers.has_page) std::cout << "  5. " << page;
}

}  // namespace

ExitCode run_init(const InitOptions& options) {
    const Files files = files_for(options.file);
    std::vector<Draft> drafts{{files.configuration, {}, "the configuration"}};
    if (const auto good = options.replace ? Result<void>{} : refuse_what_is_there(drafts); !good)
        return fail(good.error(), kExitFailed);
    const Host host = read_this_host();
    Dialogue dialogue{read_line, std::cout};
    if (!options.defaults)
        std::cout << "This writes " << files.configuration
                  << ". Enter takes the answer in brackets.\n";
    auto given = options.given;
    if (const auto file = given.find(kPasswordFile); file != given.end())
        file->second = fs::absolute(file->second).lexically_normal().string();
    const auto answers = ask(host, given, options.defaults, dialogue);
    if (!answers) return fail(answers.error(), kExitRejected);

    const auto loaded = config::load_text(configuration_text(*answers, answers->password_file),
                                          files.configuration);
    if (const ExitCode code = check(loaded); code != kExitDone) return code;
    const bool has_router = !answers->router.empty();
    const bool own_password = has_router && answers->password_file.empty();
    drafts.front().content =
        configuration_text(*answers, own_password ? files.password : answers->password_file);
    if (own_password)
        drafts.push_back({files.password, answers->password + "\n", "the router's password"});
    if (has_router) {
        const auto commands = commands_for(loaded.settings, *answers, host);
        drafts.push_back({files.commands, commands.set_up,
                          "RouterOS commands with that password: delete it after the import",
                          kForOwner, false});
        drafts.push_back(
            {files.undo, commands.undo, "RouterOS commands that undo these", kForOwner, false});
    }
    if (const auto good = options.replace ? Result<void>{} : refuse_what_is_there(drafts); !good)
        return fail(good.error(), kExitFailed);
    std::cout << "\n";
    for (const Draft& draft : drafts) {
        if (const auto good = write(draft, host); !good) return fail(good.error(), kExitFailed);
        std::cout << "wrote " << draft.path << " (" << draft.what << ")\n";
    }
    if (is_nobody(host.user))
        std::cout << "There is no user steerdns, so a reload cannot read these files. Make the "
                     "user, then write them again with --force:\n  adduser --system --group "
                     "--no-create-home steerdns\n";
    say_next(*answers, host, files);
    return std::cout.flush() ? kExitDone
                             : fail(Error{"cannot write to standard output"}, kExitFailed);
}

}  // namespace steer::init
