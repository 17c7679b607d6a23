#include "control/host/net/byte_stream.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

namespace steer::stream {

ByteStream::ByteStream(boost::asio::ip::tcp::socket socket) : socket_(std::move(socket)) {
    boost::system::error_code ignored;
    socket_.non_blocking(true, ignored);
}

bool ByteStream::secure(SslPtr ssl) {
    ERR_clear_error();
    SSL_set_mode(ssl.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (SSL_set_fd(ssl.get(), socket_.native_handle()) != 1) return false;
    ssl_ = std::move(ssl);
    return true;
}

Io ByteStream::handshake() {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    if (result != 1) return from_ssl(result);
    shaken_ = true;
    return Io::done;
}

Io ByteStream::read(std::span<std::uint8_t> into, std::size_t& n) {
    n = 0;
    if (ssl_ != nullptr) {
        ERR_clear_error();
        const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &n);
        return result == 1 ? Io::done : from_ssl(result);
    }
    const auto got = ::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
    if (got < 0) return from_errno(errno);
    n = static_cast<std::size_t>(got);
    return got == 0 ? Io::ended : Io::done;
}

Io ByteStream::write(std::span<const std::uint8_t> from, std::size_t& n) {
    n = 0;
    if (ssl_ != nullptr) {
        ERR_clear_error();
        const int result = SSL_write_ex(ssl_.get(), from.data(), from.size(), &n);
        return result == 1 ? Io::done : from_ssl(result);
    }
    const auto sent =
        ::send(socket_.native_handle(), from.data(), from.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) {
        const Io io = from_errno(errno);
        return io == Io::wait_read ? Io::wait_write : io;
    }
    n = static_cast<std::size_t>(sent);
    return Io::done;
}

void ByteStream::end_writing() {
    if (!socket_.is_open()) return;
    ERR_clear_error();
    if (ssl_ != nullptr && SSL_is_init_finished(ssl_.get()) != 0) SSL_shutdown(ssl_.get());
    boost::system::error_code ignored;
    socket_.shutdown(boost::asio::socket_base::shutdown_send, ignored);
}

void ByteStream::close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
}

std::string_view ByteStream::server_name() const {
    if (ssl_ == nullptr) return {};
    const char* const name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
    return name != nullptr ? std::string_view(name) : std::string_view{};
}

std::string_view ByteStream::protocol() const {
    const unsigned char* name = nullptr;
    unsigned length = 0;
    if (ssl_ != nullptr) SSL_get0_alpn_selected(ssl_.get(), &name, &length);
    return {reinterpret_cast<const char*>(name), length};
}

Io ByteStream::from_errno(int error) {
    if (error == EAGAIN || error == EWOULDBLOCK || error == EINTR) return Io::wait_read;
    error_ = error;
    why_ = std::strerror(error);
    return Io::failed;
}

Io ByteStream::from_ssl(int result) {
    const int saved = errno;
    switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_WANT_READ:
            return Io::wait_read;
        case SSL_ERROR_WANT_WRITE:
            return Io::wait_write;
        case SSL_ERROR_ZERO_RETURN:
            return Io::ended;
        case SSL_ERROR_SYSCALL:
            if (saved != 0) return from_errno(saved);
            break;
        default:
            break;
    }
    error_ = EPROTO;
    const unsigned long code = ERR_peek_last_error();
    const long verified = SSL_get_verify_result(ssl_.get());
    if (ERR_GET_LIB(code) == ERR_LIB_SSL &&
        ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        error_ = ECONNRESET;
        why_ = "the peer ended the connection without ending TLS";
        return shaken_ ? Io::ended : Io::failed;
    }
    if (verified != X509_V_OK) {
        why_ = X509_verify_cert_error_string(verified);
    } else {
        const char* const reason = ERR_reason_error_string(code);
        why_ = reason != nullptr ? reason : "no reason is known";
    }
    return Io::failed;
}

}  // namespace steer::stream
