#include "control/program/reload/certificates.h"

#include <unistd.h>

#include "control/config/plugin_type.h"
#include "control/host/net/own_certificate.h"
#include "control/host/net/tls_certificate.h"

namespace steer {
namespace {

template <class Visit>
void for_each_server(const config::Settings& settings, Visit&& visit) {
    for (const auto& plugin : settings.plugins) {
        const config::StreamServer* const server = config::stream_server_of(plugin);
        if (server != nullptr && !server->tls.cert.empty())
            visit(owner_of(plugin), plugin.line, server->tls);
    }
    const auto& rpc = settings.control.rpc;
    if (!rpc || rpc->certificate.empty()) return;
    config::ServerTls tls;
    tls.cert = rpc->certificate;
    tls.key = rpc->key;
    tls.client_ca = rpc->client_ca;
    visit(std::string("'http' of 'control'"), static_cast<int>(rpc->line), tls);
}

}  // namespace

CertificateCheck check_certificates(const config::Settings& settings, std::int64_t now_s) {
    CertificateCheck out;
    for_each_server(settings, [&](const std::string& owner, int line,
                                  const config::ServerTls& tls) {
        const auto certificate =
            stream::read_certificate({tls.cert, tls.key, tls.client_ca, tls.require_client_cert});
        const auto of_server = [&](const std::string& text) {
            return settings.error(line, owner + ": " + text);
        };
        if (!certificate) {
            out.errors.push_back(of_server(certificate.error().text));
        } else if (auto error = stream::validity_error(certificate->facts, now_s); !error.empty()) {
            out.warnings.push_back(of_server(error));
        }
    });
    return out;
}

std::vector<PrivateKey> private_keys(const config::Settings& settings) {
    std::vector<PrivateKey> out;
    for_each_server(settings,
                    [&](const std::string& owner, int line, const config::ServerTls& tls) {
                        out.push_back({tls.key, owner, line});
                    });
    return out;
}

std::string page_line(const config::Settings& settings) {
    const auto& rpc = settings.control.rpc;
    if (!rpc) return {};
    const std::string line = "page: on " + rpc->listen.to_string();
    if (!rpc->has_tls()) return line + ", without TLS";
    const stream::TlsFiles files =
        rpc->own_certificate ? stream::own_certificate_files(rpc->folder)
                             : stream::TlsFiles{.cert = rpc->certificate, .key = rpc->key};
    const auto certificate = stream::read_certificate(files);
    if (certificate)
        return line + ", the SHA-256 of its certificate is " + certificate->facts.sha256;
    return line + (rpc->own_certificate ? ", its certificate is made at the start"
                                        : ", its certificate cannot be read");
}

std::set<std::string> unreadable_certificates(const config::Settings& settings) {
    std::set<std::string> out;
    for_each_server(settings, [&](const std::string&, int, const config::ServerTls& tls) {
        for (const std::string* file : {&tls.cert, &tls.key, &tls.client_ca}) {
            if (!file->empty() && ::access(file->c_str(), R_OK) != 0) out.insert(*file);
        }
    });
    return out;
}

}  // namespace steer
