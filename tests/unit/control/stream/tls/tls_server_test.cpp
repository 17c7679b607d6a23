// TLS on a listener: handshakes, ALPN, tickets, renewed certificates, bad files, floods.
#include <openssl/pem.h>

#include <boost/test/unit_test.hpp>
#include <ctime>

#include "control/host/net/tls_server.h"
#include "tls/tls_peer.h"

using namespace steer;
using namespace steer::test;
using namespace std::chrono_literals;
using stream::TlsFiles;
using stream::TlsServer;
using stream::Transport;

namespace {

struct TlsWorld {
    TlsWorld() : files(files_of(folder, authority.issue("one.example"))) {
        BOOST_REQUIRE(error(files) == "none");
        world.answer_all = true;
        port = world.listen_tcp({.tls = tls});
    }
    TlsPeer connect(SSL_CTX* by, SSL_SESSION* resumed = nullptr) {
        return {Peer::connected(Transport::tcp, address("127.0.0.1"), port), by, resumed};
    }
    bool shake_hands(TlsPeer& peer) {
        return world.until([&] { return peer.shake_hands() || peer.failed; }) && !peer.failed;
    }
    bool is_answered(TlsPeer& peer, std::uint16_t id) {
        return peer.send_framed(make_query(id, "n.example")) &&
               world.until([&] { return peer.next_framed().has_value(); });
    }
    std::string error(const TlsFiles& bad) {
        const auto loaded = tls->load(bad);
        return loaded.has_error() ? loaded.error().text : "none";
    }

    SkippingClock clock;
    TempFolder folder;
    Authority authority;
    TlsFiles files;
    std::shared_ptr<TlsServer> tls =
        std::make_shared<TlsServer>(std::vector<std::string>{"dot"}, clock);
    StreamWorld world;
    std::uint16_t port = 0;
    stream::SslContextPtr context = client_context(authority);
};

void offer(SSL* ssl, std::string_view protocol) {
    Bytes list{static_cast<std::uint8_t>(protocol.size())};
    list.insert(list.end(), protocol.begin(), protocol.end());
    SSL_set_alpn_protos(ssl, list.data(), static_cast<unsigned>(list.size()));
}

std::string chosen(SSL* ssl) {
    const unsigned char* name = nullptr;
    unsigned length = 0;
    SSL_get0_alpn_selected(ssl, &name, &length);
    return {reinterpret_cast<const char*>(name), length};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(stream_tls)

BOOST_FIXTURE_TEST_CASE(a_query_over_tls_is_answered, TlsWorld) {
    TlsPeer client = connect(context.get());
    BOOST_REQUIRE(shake_hands(client));
    BOOST_TEST(is_answered(client, 1));
    BOOST_TEST(chosen(client.ssl()) == "");
    BOOST_TEST(world.count(StreamCount::tls_accepted) == 1U);
}

BOOST_FIXTURE_TEST_CASE(padding_and_keepalive_are_sent_on_request, TlsWorld) {
    TlsPeer client = connect(context.get());
    BOOST_REQUIRE(shake_hands(client));
    world.answer_all = false;
    const Bytes opt{0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 8, 0, 12, 0, 0, 0, 11, 0, 0};
    Bytes query = make_query(1, "n.example");
    query[11] = 1;
    query.insert(query.end(), opt.begin(), opt.end());
    BOOST_REQUIRE(client.send_framed(query));
    BOOST_REQUIRE(world.until([&] { return world.queries.size() == 1; }));
    Bytes response = make_response(make_query(1, "n.example"), 1);
    response[11] = 1;
    response.insert(response.end(), {0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0});
    world.answer(world.queries[0], response);
    std::optional<Bytes> got;
    BOOST_REQUIRE(world.until([&] { return (got = client.next_framed()).has_value(); }));
    BOOST_TEST(got->size() == 468U);
    const Bytes keepalive(got->begin() + static_cast<std::ptrdiff_t>(response.size()),
                          got->begin() + static_cast<std::ptrdiff_t>(response.size()) + 6);
    BOOST_TEST((keepalive == Bytes{0, 11, 0, 2, 0, 100}));
}

BOOST_FIXTURE_TEST_CASE(alpn_is_dot_or_absent, TlsWorld) {
    TlsPeer dot = connect(context.get());
    offer(dot.ssl(), "dot");
    BOOST_REQUIRE(shake_hands(dot));
    BOOST_TEST(chosen(dot.ssl()) == "dot");
    TlsPeer web = connect(context.get());
    offer(web.ssl(), "h2");
    BOOST_TEST(!shake_hands(web));
    BOOST_TEST(world.until([&] { return world.count(StreamCount::tls_failed) == 1; }));
}

BOOST_FIXTURE_TEST_CASE(old_versions_are_refused, TlsWorld) {
    SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context.get(), TLS1_1_VERSION);
    SSL_CTX_set_cipher_list(context.get(), "ALL:@SECLEVEL=0");
    TlsPeer client = connect(context.get());
    BOOST_TEST(!shake_hands(client));
    SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
    TlsPeer newer = connect(context.get());
    BOOST_TEST(shake_hands(newer));
}

BOOST_FIXTURE_TEST_CASE(a_renewed_certificate_is_used_for_new_connections, TlsWorld) {
    TlsPeer before = connect(context.get());
    BOOST_REQUIRE(shake_hands(before));
    BOOST_TEST(before.server_name() == "one.example");
    files = files_of(folder, authority.issue("two.example"));
    BOOST_TEST(tls->load(files).has_value());
    TlsPeer after = connect(context.get());
    BOOST_REQUIRE(shake_hands(after));
    BOOST_TEST(after.server_name() == "two.example");
    BOOST_TEST(is_answered(before, 1));
    BOOST_TEST(tls->facts().subject == "CN=two.example");
}

// What a client keeps of its connection, to come back with.
struct Kept {
    SSL_SESSION* session = nullptr;
    ~Kept() { SSL_SESSION_free(session); }
};

BOOST_FIXTURE_TEST_CASE(tickets_outlive_a_certificate_and_end_after_two_key_periods, TlsWorld) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        SSL_CTX_set_min_proto_version(context.get(), version);
        SSL_CTX_set_max_proto_version(context.get(), version);
        const auto comes_back = [&](SSL_SESSION* with) {
            TlsPeer peer = connect(context.get(), with);
            BOOST_REQUIRE(shake_hands(peer));
            return SSL_session_reused(peer.ssl()) == 1;
        };
        TlsPeer first = connect(context.get());
        BOOST_REQUIRE(shake_hands(first));
        BOOST_REQUIRE(is_answered(first, 1));  // the ticket arrived before it
        const Kept kept{SSL_get1_session(first.ssl())};
        BOOST_TEST(comes_back(kept.session));
        BOOST_TEST(tls->load(files_of(folder, authority.issue("two.example"))).has_value());
        BOOST_TEST(comes_back(kept.session));
        clock.skip(std::chrono::milliseconds(stream::TlsTickets::kLifeMs));
        BOOST_TEST(comes_back(kept.session));
        clock.skip(std::chrono::milliseconds(stream::TlsTickets::kLifeMs));
        BOOST_TEST(!comes_back(kept.session));
    }
}

BOOST_FIXTURE_TEST_CASE(servers_with_one_certificate_read_each_others_tickets, TlsWorld) {
    const auto server = [&](const char* protocol, const TlsFiles& its_files) {
        auto made = std::make_shared<TlsServer>(std::vector<std::string>{protocol}, clock);
        BOOST_REQUIRE(made->load(its_files).has_value());
        return made;
    };
    const auto twin = server("dot", files), web = server("h2", files),
               stranger = server("dot", files_of(folder, authority.issue("two.example")));
    BOOST_TEST(twin->ticket_group() == tls->ticket_group());
    BOOST_TEST(web->ticket_group() != tls->ticket_group());
    BOOST_TEST(stranger->ticket_group() != tls->ticket_group());

    const std::string sealed = tls->new_ticket_key();
    std::string damaged = sealed;
    damaged[20] = static_cast<char>(damaged[20] ^ 1);
    const std::uint64_t now_ms = clock.now().ms, day_ms = stream::TlsTickets::kLifeMs;
    for (const auto& other : {web, stranger})
        BOOST_TEST(!other->use_ticket_key(sealed, now_ms, now_ms + day_ms));
    BOOST_TEST(!twin->use_ticket_key(damaged, now_ms, now_ms + day_ms));
    BOOST_TEST(!twin->use_ticket_key("", now_ms, now_ms + day_ms));

    BOOST_REQUIRE(tls->use_ticket_key(sealed, now_ms, now_ms + day_ms));
    TlsPeer first = connect(context.get());
    BOOST_REQUIRE(shake_hands(first));
    BOOST_REQUIRE(is_answered(first, 1));
    const Kept kept{SSL_get1_session(first.ssl())};
    port = world.listen_tcp({.tls = twin});
    const auto comes_to_twin = [&] {
        TlsPeer peer = connect(context.get(), kept.session);
        BOOST_REQUIRE(shake_hands(peer));
        return SSL_session_reused(peer.ssl()) == 1;
    };
    BOOST_TEST(!comes_to_twin());
    BOOST_REQUIRE(twin->use_ticket_key(sealed, now_ms, now_ms + day_ms));
    BOOST_TEST(comes_to_twin());
    clock.skip(std::chrono::milliseconds(day_ms));
    BOOST_TEST(comes_to_twin());
    clock.skip(std::chrono::milliseconds(day_ms));
    BOOST_TEST(!comes_to_twin());
}

// Also of a session that is resumed, where TLS 1.2 does not say it again to those who do not listen for it.
BOOST_FIXTURE_TEST_CASE(a_query_carries_the_server_name_of_its_client, TlsWorld) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        SSL_CTX_set_min_proto_version(context.get(), version);
        SSL_CTX_set_max_proto_version(context.get(), version);
        const auto asked_for = [&](const char* name, SSL_SESSION* with, Kept* keep) {
            TlsPeer peer = connect(context.get(), with);
            if (name != nullptr)
                SSL_ctrl(peer.ssl(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                         const_cast<char*>(name));
            BOOST_REQUIRE(shake_hands(peer));
            world.queries.clear();
            BOOST_REQUIRE(is_answered(peer, 1));
            BOOST_TEST(SSL_session_reused(peer.ssl()) == (with != nullptr ? 1 : 0));
            if (keep != nullptr) keep->session = SSL_get1_session(peer.ssl());
            return world.queries.at(0).server_name;
        };
        Kept kept;
        BOOST_TEST(asked_for("Kids.DNS.example", nullptr, &kept) == "kids.dns.example");
        BOOST_TEST(asked_for("Kids.DNS.example", kept.session, nullptr) == "kids.dns.example");
        BOOST_TEST(asked_for(nullptr, nullptr, nullptr).empty());
    }
}

BOOST_FIXTURE_TEST_CASE(errors_of_certificate_files_are_reported, TlsWorld) {
    TlsFiles bad = files;
    bad.cert = folder.write("empty.pem", "nothing here\n");
    BOOST_TEST(error(bad).find("empty.pem contains no certificate") != std::string::npos);
    bad.cert = folder.write("cut.pem", authority.issue("x").cert.substr(0, 200));
    BOOST_TEST(error(bad).find("cut.pem cannot be understood") != std::string::npos);
    bad.cert += ".none";
    BOOST_TEST(error(bad).find("none cannot be read: No such file") != std::string::npos);
    bad = files;
    bad.key = folder.write("other.key", authority.issue("x").key);
    BOOST_TEST(error(bad).find("other.key does not match the certificate") != std::string::npos);
    bad.key = folder.write("no.key", "nothing here\n");
    BOOST_TEST(error(bad).find("no.key contains no private key") != std::string::npos);
    const Issued own = authority.issue("own.example");
    bad.cert = folder.write("order.pem", authority.pem() + own.cert);
    bad.key = folder.write("order.key", own.key);
    BOOST_TEST(error(bad).find("move that one to the front") != std::string::npos);
    bad = files;
    bad.client_ca = folder.write("ca.pem", "");
    BOOST_TEST(error(bad).find("client_ca") != std::string::npos);
    TlsPeer client = connect(context.get());  // by the one before
    BOOST_TEST(shake_hands(client));
}

BOOST_FIXTURE_TEST_CASE(an_encrypted_key_is_named, TlsWorld) {
    const Issued issued = authority.issue("x");
    const stream::BioPtr plain(BIO_new_mem_buf(issued.key.c_str(), -1));
    const stream::KeyPtr key(PEM_read_bio_PrivateKey(plain.get(), nullptr, nullptr, nullptr));
    const stream::BioPtr out(BIO_new(BIO_s_mem()));
    char password[] = "secret";
    PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), EVP_aes_256_cbc(), password, 6, nullptr,
                                  nullptr);
    char* text = nullptr;
    const long n = BIO_get_mem_data(out.get(), &text);
    TlsFiles bad = files;
    bad.key = folder.write("locked.key", {text, static_cast<std::size_t>(n)});
    BOOST_TEST(error(bad).find("locked.key is encrypted") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(an_expired_certificate_is_only_a_warning, TlsWorld) {
    const auto now = std::time(nullptr);
    files = files_of(folder, authority.issue("old.example", -7200, -3600));
    BOOST_TEST(tls->load(files).has_value());
    BOOST_TEST(validity_error(tls->facts(), now).find("expired on 20") != std::string::npos);
    files = files_of(folder, authority.issue("new.example", 3600, 7200));
    BOOST_TEST(tls->load(files).has_value());
    BOOST_TEST(validity_error(tls->facts(), now).find("is valid from 20") != std::string::npos);
    BOOST_TEST(validity_error(tls->facts(), now + 5000) == "");
}

BOOST_FIXTURE_TEST_CASE(client_certificates_are_required_if_configured, TlsWorld) {
    files.client_ca = folder.write("ca.pem", authority.pem());
    files.require_client_cert = true;
    BOOST_REQUIRE(tls->load(files).has_value());
    SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);  // the handshake itself fails
    TlsPeer nobody = connect(context.get());
    BOOST_TEST(!shake_hands(nobody));
    const Issued own = authority.issue("client.example");
    SSL_CTX_use_certificate_file(context.get(), folder.write("c.pem", own.cert).c_str(),
                                 SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(context.get(), folder.write("c.key", own.key).c_str(),
                                SSL_FILETYPE_PEM);
    TlsPeer client = connect(context.get());
    BOOST_REQUIRE(shake_hands(client));
    BOOST_TEST(is_answered(client, 1));
}

BOOST_FIXTURE_TEST_CASE(a_connection_without_tls_is_closed, TlsWorld) {
    Peer plain = Peer::connected(Transport::tcp, address("127.0.0.1"), port);
    BOOST_REQUIRE(world.until([&] { return plain.send_framed(make_query(1, "n.example")); }));
    BOOST_TEST(world.until([&] { return !plain.receive(); }));
    BOOST_TEST(world.count(StreamCount::tls_failed) == 1U);
    BOOST_TEST(world.thread->connections() == 0U);
}

BOOST_FIXTURE_TEST_CASE(tls_on_the_plain_port_is_closed, TlsWorld) {
    port = world.listen(Transport::tcp);
    TlsPeer client = connect(context.get());
    BOOST_TEST(!shake_hands(client));
    BOOST_TEST(world.count(StreamCount::tcp_malformed) == 1U);
}

BOOST_FIXTURE_TEST_CASE(half_open_handshakes_have_a_time_limit, TlsWorld) {
    std::vector<Peer> silent;
    for (int i = 0; i < 40; ++i)
        silent.push_back(Peer::connected(Transport::tcp, address("127.0.0.1"), port));
    BOOST_REQUIRE(world.until([&] { return world.thread->connections() == 40; }));
    world.pass(4s);
    for (int i = 0; i < 5; ++i)
        world.turn();
    BOOST_TEST(world.thread->connections() == 40U);
    world.pass(2s);
    BOOST_TEST(world.until([&] { return world.count(StreamCount::tcp_opening_late) == 40; }));
    BOOST_TEST(world.thread->connections() == 0U);
}

BOOST_FIXTURE_TEST_CASE(half_open_handshakes_are_closed_before_served_connections, TlsWorld) {
    port = world.listen_tcp({.limits = {.max_connections = 3}, .tls = tls});
    TlsPeer served = connect(context.get());
    BOOST_REQUIRE(shake_hands(served));
    std::vector<Peer> silent;
    for (int i = 0; i < 2; ++i)
        silent.push_back(Peer::connected(Transport::tcp, address("127.0.0.1"), port));
    BOOST_REQUIRE(world.until([&] { return world.thread->connections() == 3; }));
    world.pass(2s);
    TlsPeer newcomer = connect(context.get());
    BOOST_REQUIRE(shake_hands(newcomer));
    BOOST_TEST(world.count(StreamCount::tcp_made_room) == 1U);
    BOOST_TEST(is_answered(served, 1));
    BOOST_TEST(is_answered(newcomer, 2));
}

BOOST_AUTO_TEST_SUITE_END()
