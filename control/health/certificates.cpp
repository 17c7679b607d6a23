#include "control/health/certificates.h"

#include <unistd.h>

#include <type_traits>
#include <variant>

#include "control/config/plugins/plugin_type.h"
#include "control/stream/tls/tls_certificate.h"

namespace steer {
namespace {

template <class Visit>
void for_each_server(const config::Settings& settings, Visit&& visit) {
    for (const auto& plugin : settings.plugins) {
        std::visit(
            [&](const auto& args) {
                if constexpr (std::is_base_of_v<config::StreamServer,
                                                std::decay_t<decltype(args)>>) {
                    if (!args.tls.cert.empty()) visit(plugin, args.tls);
                }
            },
            plugin.args);
    }
}

}  // namespace

CertificateCheck check_certificates(const config::Settings& settings, std::int64_t now_s) {
    CertificateCheck out;
    for_each_server(settings, [&](const config::Plugin& plugin, const config::ServerTls& tls) {
        const auto certificate =
            stream::read_certificate({tls.cert, tls.key, tls.client_ca, tls.require_client_cert});
        const auto of_plugin = [&](const std::string& text) {
            return settings.error(plugin.line, owner_of(plugin) + ": " + text);
        };
        if (!certificate) {
            out.errors.push_back(of_plugin(certificate.error().text));
        } else if (auto trouble = stream::trouble_with_time(certificate->facts, now_s);
                   !trouble.empty()) {
            out.warnings.push_back(of_plugin(trouble));
        }
    });
    return out;
}

std::vector<PrivateKey> private_keys(const config::Settings& settings) {
    std::vector<PrivateKey> out;
    for_each_server(settings, [&](const config::Plugin& plugin, const config::ServerTls& tls) {
        out.push_back({tls.key, owner_of(plugin), plugin.line});
    });
    return out;
}

std::set<std::string> unreadable_certificates(const config::Settings& settings) {
    std::set<std::string> out;
    for_each_server(settings, [&](const config::Plugin&, const config::ServerTls& tls) {
        for (const std::string* file : {&tls.cert, &tls.key, &tls.client_ca}) {
            if (!file->empty() && ::access(file->c_str(), R_OK) != 0) out.insert(*file);
        }
    });
    return out;
}

}  // namespace steer
