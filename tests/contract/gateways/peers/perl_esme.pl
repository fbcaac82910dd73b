# A client over Perl's Net::SMPP: submits to each receiver, and says ids and receipts in one line of JSON.
# Usage: perl_esme.pl PORT RECEIVER...
use strict;
use warnings;
use Net::SMPP;

my ($port, @receivers) = @ARGV;
my ($session, $answer) = Net::SMPP->new_transceiver(
    '127.0.0.1', port => $port, smpp_version => 0x34, system_id => 'me', password => 'secret',
) or die "cannot bind: $!";
die "bind refused: $answer->{status}" if $answer->{status};
for my $receiver (@receivers) {
    $session->submit_sm(
        async => 1, source_addr => 'HELIO', destination_addr => $receiver, short_message => 'Hello',
        registered_delivery => 1,
    ) or die "cannot submit: $!";
}
my (@ids, @receipts);
while (@ids < @receivers || @receipts < @receivers) {
    my $pdu = $session->read_pdu or die "the SMSC hung up";
    if ($pdu->{cmd} == Net::SMPP::CMD_submit_sm_resp) { push @ids, $pdu->{message_id}; }
    elsif ($pdu->{cmd} == Net::SMPP::CMD_deliver_sm) {
        $session->deliver_sm_resp(message_id => '', seq => $pdu->{seq}, status => 0);
        push @receipts, $pdu->{short_message};
    }
}
$session->unbind;
printf qq({"ids": [%s], "receipts": [%s]}\n), map { join ', ', map { qq("$_") } @$_ } \@ids, \@receipts;
